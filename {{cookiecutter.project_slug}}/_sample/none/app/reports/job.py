"""The job of a report, which runs in the worker."""

import platform


def describe_worker() -> dict[str, str]:
    """Return the host and the Python that ran the job."""
    return {"host": platform.node(), "python": platform.python_version()}
