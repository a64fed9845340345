"""The container's health check, `python -m app.healthcheck`: /health has to answer 200. Images have no curl."""

import os
import sys
from http import HTTPStatus
from http.client import HTTPConnection


def main() -> None:
    """Exit with 1 unless the service is healthy."""
    connection = HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "{{ cookiecutter.port }}")), timeout=2)
    try:
        connection.request("GET", "/health")
        healthy = connection.getresponse().status == HTTPStatus.OK
    except OSError:
        healthy = False
    sys.exit(not healthy)


if __name__ == "__main__":
    main()
