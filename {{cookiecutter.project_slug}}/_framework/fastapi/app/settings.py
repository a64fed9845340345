"""The settings of the service, read from the environment once, when a process starts."""

{% if cookiecutter.database in ("postgresql", "mariadb") %}
from pathlib import Path
{% endif %}
{% if cookiecutter.database != "none" %}
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
{% else %}
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
{% endif %}
{% if cookiecutter.database != "none" %}
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError
{% endif %}
{% if cookiecutter.database == "postgresql" %}

DRIVER = "postgresql+psycopg"
{% elif cookiecutter.database == "mariadb" %}

DRIVER = "mariadb+asyncmy"
{% endif %}


class Settings(BaseSettings):
    """What may differ between two places where the service runs."""

    model_config = SettingsConfigDict(frozen=True, arbitrary_types_allowed=True, env_ignore_empty=True)

    environment: Literal["development", "production"] = "production"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    workers: int = Field(default=2, ge=1, le=64)
{% if cookiecutter.database == "sqlite" %}
    database_url: Annotated[URL, NoDecode] = make_url("sqlite+aiosqlite:////data/app.db")
{% elif cookiecutter.database != "none" %}
    database_url: Annotated[URL, NoDecode]
    database_password_file: Path | None = None
{% endif %}
{% if cookiecutter.redis != "none" %}
    redis_url: str = Field(pattern=r"^rediss?://.+")
{% endif %}
{% if "cache" in cookiecutter.redis %}
    cache_seconds: int = Field(default=60, ge=1, le=86400)
{% endif %}
{% if cookiecutter.database != "none" %}

    @field_validator("database_url", mode="before")
    @classmethod
    def parse_url(cls, value: Any) -> Any:
        """Parse the URL of the database."""
        try:
            url = make_url(value)
        except ArgumentError:
            raise ValueError("it is not a URL") from None
{% if cookiecutter.database == "sqlite" %}
        if url.drivername != "sqlite+aiosqlite":
            raise ValueError("it must start with sqlite+aiosqlite:///")
{% else %}
        if url.drivername != DRIVER or not url.host:
            raise ValueError(f"it must be {DRIVER}://user@host/name")
{% endif %}
        return url
{% endif %}
{% if cookiecutter.database in ("postgresql", "mariadb") %}

    @field_validator("database_password_file")
    @classmethod
    def check_file(cls, value: Path | None) -> Path | None:
        """Refuse a file that can't be read."""
        try:
            if value:
                value.read_text(encoding="utf-8")
        except OSError as error:
            raise ValueError(f'{value}: {error.strerror}; run "make secrets" to write it') from None
        return value

    @property
    def database(self) -> URL:
        """The URL of the database, with the password from its file where there is one."""
        if self.database_password_file is None:
            return self.database_url
        return self.database_url.set(password=self.database_password_file.read_text(encoding="utf-8").strip())
{% endif %}


def load_settings() -> Settings:
    """Read and check the environment; stop with one sentence that names what is missing or malformed."""
    try:
        return Settings()
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, found['loc'])).upper()}: {found['msg']}" for found in error.errors())
        raise SystemExit(f"settings: {'; '.join(problems)}") from None
