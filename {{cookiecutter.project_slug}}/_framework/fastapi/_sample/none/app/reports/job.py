"""The job of a report, which runs in the worker."""

import platform
from typing import Any


def describe_worker() -> dict[str, Any]:
    """Return where the job ran."""
    return {"host": platform.node(), "python": platform.python_version()}
