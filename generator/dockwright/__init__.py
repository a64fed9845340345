"""Scaffold a containerised web service from a few answers."""

__version__ = "0.1.0"
