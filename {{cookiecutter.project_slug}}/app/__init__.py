"""The {{ cookiecutter.project_name }} service."""

import os

# The image has it from TAG: see compose.prod.yaml.
__version__ = os.environ.get("VERSION", "development")
