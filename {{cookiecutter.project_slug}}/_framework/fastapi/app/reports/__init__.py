"""The reports: a sample of work that runs in the worker, to read, copy and delete."""
