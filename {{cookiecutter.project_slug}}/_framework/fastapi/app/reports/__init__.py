"""Reports: slow work that the worker does while the client asks for its progress."""
