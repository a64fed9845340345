"""A broken rule, and the words by which rules for Dockerfiles and for compose files know secrets and development."""

import re
from dataclasses import dataclass

SECRET = re.compile(
    r"(?:^|[_\s])(?:\w*(?:PASSWORD|SECRET|TOKEN|API_?KEY|PRIVATE_KEY)\w*)=(?!\$|[\"']{2})\S+", re.IGNORECASE
)
RELOADS = re.compile(r"--reload\b|--debug\b|\bflask\b.*\brun\b|\bfastapi\b.*\bdev\b|FLASK_DEBUG=1|\brunserver\b")


@dataclass(frozen=True)
class Finding:
    """A broken rule: its name, where, why it matters, and what to write."""

    rule: str
    line: int
    why: str
    write: str
