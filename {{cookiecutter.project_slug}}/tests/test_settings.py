"""Whether a mistake in the settings stops the service with a sentence."""

import pytest

from app.settings import load_settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "test"),
        ("LOG_LEVEL", "loud"),
        ("WORKERS", "many"),
{% if cookiecutter.database != "none" %}
        ("DATABASE_URL", "oracle://db"),
        ("DATABASE_URL", "oracle://db:port/app"),
{% endif %}
{% if cookiecutter.redis != "none" %}
        ("REDIS_URL", "http://redis"),
{% endif %}
    ],
)
@pytest.mark.usefixtures("services")
def test_malformed(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The sentence names the setting."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=name):
        load_settings()
