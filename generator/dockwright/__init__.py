"""Scaffold a containerised web service from a few answers."""


def __getattr__(name: str) -> str:
    """Read `__version__` where it is asked for: its one home is the template's definition."""
    if name == "__version__":
        from dockwright.template import load

        return load().version
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
