"""The settings of the service, read from the environment when a process starts."""

from ipaddress import ip_network
{% if cookiecutter.database in ("postgresql", "mariadb") or cookiecutter.redis != "none" %}
from pathlib import Path
{% endif %}
{% if cookiecutter.database != "none" %}
from typing import Annotated, Any, Literal
{% else %}
from typing import Annotated, Literal
{% endif %}
{% if cookiecutter.redis != "none" %}
from urllib.parse import quote, urlsplit
{% endif %}

{% if cookiecutter.database in ("postgresql", "mariadb") or cookiecutter.redis != "none" %}
from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
{% elif cookiecutter.database == "sqlite" %}
from pydantic import BeforeValidator, Field, ValidationError, field_validator
{% else %}
from pydantic import BeforeValidator, Field, ValidationError
{% endif %}
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
{% if cookiecutter.database != "none" %}
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError
{% endif %}
{% if cookiecutter.database != "none" %}

INVALID_URL_ERRORS = (ArgumentError, ValueError)
{% endif %}


def split_proxies(text: str) -> list[str]:
    """Split a comma-separated list of addresses and networks; `*` stands for all."""
    proxies = [item.strip() for item in text.split(",") if item.strip()]
    for proxy in proxies:
        if proxy != "*":
            ip_network(proxy)
    return proxies


{% if cookiecutter.database in ("postgresql", "mariadb") or cookiecutter.redis != "none" %}
def read_password(file: str) -> str:
    """Read a password; refuse one that the server would read differently."""
    try:
        password = Path(file).read_text(encoding="utf-8", newline="").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f'{file} can\'t be read ({error}); run "make secrets" to write it') from None
    if not password or password != password.strip():
        raise ValueError(f"{file} is empty, or has white space before or after the password")
    return password


{% endif %}
class Settings(BaseSettings):
    """The settings of one deployment."""

{% if cookiecutter.database != "none" %}
    model_config = SettingsConfigDict(frozen=True, arbitrary_types_allowed=True, validate_default=False)
{% else %}
    model_config = SettingsConfigDict(frozen=True, validate_default=False)
{% endif %}

    environment: Literal["development", "production"] = "production"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    port: int = Field(default={{ cookiecutter.port }}, ge=1, le=65535)
    workers: int = Field(default=2, ge=1, le=8)
    max_body_bytes: int = Field(default=1024 * 1024, ge=1)
    root_path: str = Field(default="", pattern=r"^(/[\w.~-]+)*$")
    trusted_proxies: Annotated[list[str], NoDecode, BeforeValidator(split_proxies)] = ["127.0.0.1"]
{% if cookiecutter.metrics == "prometheus" %}
    metrics: bool = False
{% endif %}
{% if cookiecutter.database == "sqlite" %}
    database_url: Annotated[URL, NoDecode] = make_url("sqlite+aiosqlite:////data/app.db")
{% elif cookiecutter.database != "none" %}
    # Not `secrets_dir`: it strips the file's content, which the database does not. The password stands before its URL,
    # whose validator needs it.
    database_password: Annotated[str | None, BeforeValidator(read_password)] = Field(
        default=None, validation_alias="DATABASE_PASSWORD_FILE", repr=False
    )
    database_url: Annotated[URL, NoDecode]
{% endif %}
{% if cookiecutter.database != "none" %}
    statement_seconds: int = Field(default=2, ge=1, le=3600)
{% endif %}
{% if cookiecutter.database in ("postgresql", "mariadb") %}
    pool_size: int = Field(default=5, ge=1, le=100)
{% endif %}
{% if cookiecutter.redis != "none" %}
{% if cookiecutter.database in ("none", "sqlite") %}
    # Not `secrets_dir`: it strips the file's content, which Redis does not. The password stands before its URL, whose
    # validator needs it.
{% endif %}
    redis_password: Annotated[str | None, BeforeValidator(read_password)] = Field(
        default=None, validation_alias="REDIS_PASSWORD_FILE", repr=False
    )
    redis_url: str = Field(pattern=r"^rediss?://.+", repr=False)
{% endif %}
{% if "cache" in cookiecutter.redis %}
    cache_seconds: int = Field(default=60, ge=1, le=86400)
{% endif %}
{% if cookiecutter.database == "sqlite" %}

    @field_validator("database_url", mode="before")
    @classmethod
    def parse_database_url(cls, value: Any) -> URL:
        """Parse the URL and put in the asynchronous driver."""
        try:
            url = make_url(value)
        except INVALID_URL_ERRORS:
            raise ValueError("it is not a URL") from None
        if url.get_backend_name() != "sqlite" or not url.database:
            raise ValueError("it must be sqlite:///path/to/file")
        return url.set(drivername="sqlite+aiosqlite")
{% elif cookiecutter.database != "none" %}

    @field_validator("database_url", mode="before")
    @classmethod
    def parse_database_url(cls, value: Any, info: ValidationInfo) -> URL:
        """Parse the URL and put in the driver and the password from its file."""
        try:
            url = make_url(value)
        except INVALID_URL_ERRORS:
            raise ValueError("it is not a URL") from None
{% if cookiecutter.database == "postgresql" %}
        if url.get_backend_name() not in ("postgres", "postgresql") or not url.host:
            raise ValueError("it must be postgresql://user@host/name")
        url = url.set(drivername="postgresql+psycopg")
{% else %}
        if url.get_backend_name() not in ("mysql", "mariadb") or not url.host:
            raise ValueError("it must be mariadb://user@host/name")
        # asyncmy has no `sslmode`: each of its own options turns TLS on, and `ssl_ca` checks the certificate.
        mode = str(url.query.get("sslmode") or url.query.get("ssl-mode") or "").lower()
        if mode.startswith("verify"):
            raise ValueError("it must have ssl_ca=FILE instead of sslmode")
        url = url.set(drivername="mariadb+asyncmy").difference_update_query(["sslmode", "ssl-mode"])
        if mode.startswith("require"):
            url = url.update_query_dict({"ssl_check_hostname": "false"})
{% endif %}
        password = info.data.get("database_password")
        return url.set(password=password) if password else url
{% endif %}
{% if cookiecutter.redis != "none" %}

    @field_validator("redis_url")
    @classmethod
    def add_redis_password(cls, value: str, info: ValidationInfo) -> str:
        """Put in the password from its file."""
        url, password = urlsplit(value), info.data.get("redis_password")
        if not password:
            return value
        address = f"{url.username or ''}:{quote(password, safe='')}@{url.netloc.rpartition('@')[2]}"
        return url._replace(netloc=address).geturl()
{% endif %}


def load_settings() -> Settings:
    """Read and check the environment; exit with a sentence that names the variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, item['loc'])).upper()}: {item['msg']}" for item in error.errors())
        raise SystemExit(f"settings: {'; '.join(problems)}") from None
