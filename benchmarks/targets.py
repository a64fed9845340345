"""The figures that a release has to reach, each beside a contender. The README's table has one row for each."""

from benchmarks.measure import FRAMEWORKS, Comparison

# Comparison -> contender -> limit of our figure as a multiple of the contender's: at most; for requests/s, at least.
EVERY_FRAMEWORK = {
    "cold build": {"classroom": 0.7},
    "build after an edit": {"everything cached": 1.2},
    "build after an added dependency": {"classroom": 0.7},
    "image over slim, defaults": {"classroom": 1.0, "docker init": 1.15},
    "start to the first 200": {"classroom": 1.5, "docker init": 1.2},
}
FLASK = {
    "memory at rest": {"gunicorn gthread": 0.85},
    "one product": {"gunicorn gthread": 1.2},
    "list of 50": {"gunicorn gthread": 1.2},
    "create": {"gunicorn gthread": 1.2},
    "update": {"gunicorn gthread": 1.2},
    "save to new answer": {"flask run --debug": 1.1},
}
FASTAPI = {
    "memory at rest": {"uvicorn": 0.85},
    "trivial": {"uvicorn": 0.95},
    "one product": {"uvicorn": 0.95},
    "list of 50": {"uvicorn": 0.95},
    "create": {"uvicorn": 0.95},
    "update": {"uvicorn": 0.95},
    "save to new answer": {"uvicorn --reload": 1.1},
}
TARGETS = {
    f"{framework}: {what}": limits
    for framework, own in zip(FRAMEWORKS, (FLASK, FASTAPI), strict=True)
    for what, limits in {**EVERY_FRAMEWORK, **own}.items()
}


def limits(comparison: Comparison) -> dict[str, float]:
    """Return the limit of each contender that a comparison has a target for."""
    return {} if comparison.along else TARGETS.get(comparison.what, {})


def is_met(comparison: Comparison, contender: str) -> bool:
    """Return whether our figure is within the contender's limit."""
    ratio, limit = comparison.ratios()[contender], limits(comparison)[contender]
    return ratio >= limit if comparison.unit == "requests/s" else ratio <= limit
