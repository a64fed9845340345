"""The job that the worker runs."""

import platform
from typing import Any


def describe_worker() -> dict[str, Any]:
    """Return where the job ran."""
    return {"host": platform.node(), "python": platform.python_version()}
