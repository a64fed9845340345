"""Measure what a production image has beyond its base image, for the wizard and the guide: framework by base image.

Needs Docker and the base images. Run it with `python tools/measure_images.py` when dependencies have changed.
"""

import datetime as dt
import itertools
import json
import re
import subprocess
import tempfile
from pathlib import Path

from dockwright.panel import MEASURED_OPTIONS
from dockwright.template import load

TAG = "dockwright-measured"


def size(image: str) -> int:
    """Return the size of an image in bytes."""
    command = ["docker", "image", "inspect", "--format", "{{.Size}}", image]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measure(answers: dict[str, str]) -> int:
    """Build the production image of a project; return the megabytes that it has beyond its base image."""
    with tempfile.TemporaryDirectory() as directory:
        project = load().render(answers, Path(directory))
        subprocess.run(["docker", "build", "--quiet", "--target", "production", "--tag", TAG, str(project)], check=True)
        base = re.findall(r"^FROM (\S+) AS base$", (project / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    try:
        return round((size(TAG) - size(base[0])) / 1_000_000)
    finally:
        subprocess.run(["docker", "image", "rm", TAG], check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Measure every pair, and write the result into `cookiecutter.json`, as one line."""
    choices = [load().options[name].values for name in MEASURED_OPTIONS]
    megabytes = {}
    for pair in itertools.product(*choices):
        megabytes["-".join(pair)] = measure(dict(zip(MEASURED_OPTIONS, pair, strict=True)))
        print(pair, megabytes["-".join(pair)])
    today = dt.datetime.now(tz=dt.UTC).date()
    measured = json.dumps({"date": today.isoformat(), "megabytes": megabytes})
    definition = load().root / "cookiecutter.json"
    text = definition.read_text(encoding="utf-8")
    line = re.compile(r'^  "_measured": .*,$', re.MULTILINE)
    definition.write_text(line.sub(f'  "_measured": {measured},', text), encoding="utf-8")


if __name__ == "__main__":
    main()
