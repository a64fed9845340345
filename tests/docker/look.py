"""Look at an image from inside, and print what is found as JSON: `python look.py PORT MODULE,… CHECK …`.

MODULE are what its processes begin with, the application's first; PORT is where that listens, CHECK its health check.
Standard library only: this runs in the image.
"""

import importlib
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path


def main() -> None:
    """Look."""
    port, modules, *check = sys.argv[1:]
    server, *others = modules.split(",")
    importlib.import_module(server)
    imported = {name.partition(".")[0] for name in sys.modules}
    for module in others:
        importlib.import_module(module)
    found = {
        "imported": sorted(imported),
        "uncompiled": uncompiled(),
        "strippable": [str(file) for file in Path("/opt/venv").rglob("*.so*") if has_sections(file)],
        "files": list(list_files()),
        "health": {status: answer_and_check(int(port), status, check) for status in (200, 500, 503)},
        "stopped early": {
            f"{name} {stop.name}": stop_while_starting(name, stop)
            for name in others
            if name.startswith("app.")
            for stop in (signal.SIGINT, signal.SIGTERM)
        },
        "interrupted database": create_and_kill() if Path("/data").exists() else [],
        "nobody": subprocess.run(check, stderr=subprocess.DEVNULL, check=False).returncode,
    }
    print(json.dumps(found))


def uncompiled() -> list[str]:
    """Return the imported modules, but for the application's, that are compiled anew whenever they are imported."""
    specs = [module.__spec__ for module in list(sys.modules.values()) if getattr(module, "__spec__", None)]
    outside = [spec for spec in specs if spec and spec.cached and not str(spec.origin).startswith("/app/")]
    return [spec.name for spec in outside if not Path(str(spec.cached)).exists()]


def has_sections(file: Path) -> bool:
    """Say whether an ELF file has the table that debug information is found by, and that loading has no need of."""
    (table,) = struct.unpack_from("<Q", file.read_bytes(), 40)
    return bool(table)


def list_files() -> Iterator[str]:
    """Yield every file and directory of the image."""
    for directory, below, files in os.walk("/"):
        if directory == "/":
            below[:] = [name for name in below if name not in ("proc", "sys", "dev")]
        yield from (directory, *(f"{directory}/{name}" for name in files))


def answer_and_check(port: int, status: int, check: list[str]) -> int:
    """Return how the health check ends where the service answers with this status."""
    from http.server import BaseHTTPRequestHandler, HTTPServer  # noqa: PLC0415 # none of what the server imports

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        return subprocess.run(check, check=False).returncode


def stop_while_starting(module: str, stop: signal.Signals) -> tuple[int, str]:
    """Ask a process to stop as soon as it can hear that, and return its exit code and what it said until then."""
    process = subprocess.Popen(
        [sys.executable, "-m", module], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        handled = int(status.read_text().partition("SigCgt:")[2].split()[0], 16)
        if handled >> (signal.SIGTERM - 1) & 1:
            process.send_signal(stop)
            break
        time.sleep(0.001)
    said, _ = process.communicate()
    return process.returncode, said


def create_and_kill() -> list[str]:
    """Kill a server as soon as its embedded database is there, and return the tables of that."""
    import sqlite3  # noqa: PLC0415 # not what every server imports

    file = Path("/data/app.db")
    server = subprocess.Popen(
        [sys.executable, "-m", "app.serve"],
        env=os.environ | {"REDIS_URL": "redis://127.0.0.1"},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not file.exists() and server.poll() is None:
        time.sleep(0.0005)
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    return [name for (name,) in sqlite3.connect(file).execute("SELECT name FROM sqlite_master WHERE type = 'table'")]


if __name__ == "__main__":
    main()
