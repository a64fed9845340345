"""Containers for an application that exists: look at it by parsing, plan, write, and prove that it starts."""
