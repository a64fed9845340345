"""Look at an image from inside, and print what is found as JSON: `python look.py PORT CHECK …`.

PORT is where the service listens, CHECK the command of its health check. Standard library only: this runs in the image.
"""

import importlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


def main() -> None:
    """Print the facts."""
    port, *check = sys.argv[1:]
    facts = {
        "files": list(list_files()),
        "health": {status: answer_and_check(int(port), status, check) for status in (200, 404, 500, 503)},
        "other port": answer_and_check(int(port) + 1, 200, ["env", f"PORT={int(port) + 1}", *check]),
        "nobody": run(check),
        "imported": sorted(imported()),
    }
    print(json.dumps(facts))


def list_files() -> Iterator[str]:
    """Yield every file and directory of the image."""
    for directory, below, files in os.walk("/"):
        if directory == "/":
            below[:] = [name for name in below if name not in ("proc", "sys", "dev")]
        yield from (directory, *(f"{directory}/{name}" for name in files))


def answer_and_check(port: int, status: int, check: list[str]) -> int:
    """Return the exit code of the health check when the service answers /health with this status, and else with 503."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health" else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        return run(check)


def run(command: list[str]) -> int:
    """Run a command and return its exit code."""
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode


def imported() -> Iterator[tuple[str, bool, bool]]:
    """Yield each module that the server imports, the application apart, and whether it is a package's and compiled."""
    importlib.import_module("app.serve")
    importlib.import_module("app.main")
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if spec and spec.cached and not str(spec.origin).startswith("/app/"):
            yield name, "/site-packages/" in str(spec.origin), Path(spec.cached).exists()


if __name__ == "__main__":
    main()
