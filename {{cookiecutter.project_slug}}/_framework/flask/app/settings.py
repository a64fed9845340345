"""The settings of the service, read from the environment once, when a process starts."""

{% if cookiecutter.database in ("postgresql", "mariadb") %}
import os
{% endif %}
from dataclasses import dataclass
{% if cookiecutter.database in ("postgresql", "mariadb") %}
from pathlib import Path
{% endif %}

from environs import Env, EnvError, validate
{% if cookiecutter.database != "none" %}
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError
{% endif %}
{% if cookiecutter.database != "none" %}

# Raised for what is no URL, the second for a port that is no number.
NO_URL = (ArgumentError, ValueError)
{% endif %}
{% if cookiecutter.database == "postgresql" %}
DRIVER = "postgresql+psycopg"
{% elif cookiecutter.database == "mariadb" %}
DRIVER = "mariadb+pymysql"
{% endif %}


@dataclass(frozen=True)
class Settings:
    """What may differ between two places where the service runs."""

    environment: str
    log_level: str
    workers: int
    threads: int
{% if cookiecutter.database != "none" %}
    database_url: URL
{% endif %}
{% if cookiecutter.redis != "none" %}
    redis_url: str
{% endif %}
{% if "cache" in cookiecutter.redis %}
    cache_seconds: int
{% endif %}


def load_settings() -> Settings:
    """Read and check the environment; stop with one sentence that names what is missing or malformed."""
    env = Env()
    try:
        return Settings(
            environment=env.str("ENVIRONMENT", "production", validate=validate.OneOf(["development", "production"])),
            log_level=env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])),
            workers=env.int("WORKERS", 2, validate=validate.Range(1, 64)),
            threads=env.int("THREADS", 4, validate=validate.Range(1, 64)),
{% if cookiecutter.database == "sqlite" %}
            database_url=database_url(env.str("DATABASE_URL", "sqlite:////data/app.db")),
{% elif cookiecutter.database != "none" %}
            database_url=database_url(env.str("DATABASE_URL")),
{% endif %}
{% if cookiecutter.redis != "none" %}
            redis_url=env.str("REDIS_URL", validate=validate.Regexp(r"rediss?://.+", error="must start with redis://")),
{% endif %}
{% if "cache" in cookiecutter.redis %}
            cache_seconds=env.int("CACHE_SECONDS", 60, validate=validate.Range(1, 86400)),
{% endif %}
        )
    except EnvError as error:
        raise SystemExit(f"settings: {error}") from None
{% if cookiecutter.database != "none" %}


def database_url(text: str) -> URL:
{% if cookiecutter.database == "sqlite" %}
    """Parse the URL of the database; raise EnvError where it is none."""
{% else %}
    """Parse the URL of the database, with the password from DATABASE_PASSWORD_FILE where that is set.

    Raises EnvError where the URL or the file is of no use.
    """
{% endif %}
    try:
        url = make_url(text)
    except NO_URL:
        raise EnvError('Environment variable "DATABASE_URL" invalid: it is not a URL') from None
{% if cookiecutter.database == "sqlite" %}
    if url.drivername != "sqlite":
        raise EnvError('Environment variable "DATABASE_URL" invalid: it must start with sqlite:///')
    return url
{% else %}
    if url.drivername != DRIVER or not url.host:
        raise EnvError(f'Environment variable "DATABASE_URL" invalid: it must be {DRIVER}://user@host/name')
    file = os.environ.get("DATABASE_PASSWORD_FILE")
    if file:
        try:
            url = url.set(password=Path(file).read_text(encoding="utf-8").strip())
        except OSError as error:
            raise EnvError(
                f'Environment variable "DATABASE_PASSWORD_FILE" invalid: {file}: {error.strerror}; '
                'run "make secrets" to write it'
            ) from None
    return url
{% endif %}
{% endif %}
