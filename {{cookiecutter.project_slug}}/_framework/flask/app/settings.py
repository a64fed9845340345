"""The settings of the service, read from the environment when a process starts."""

{% if cookiecutter.redis != "none" %}
from dataclasses import dataclass, field
{% else %}
from dataclasses import dataclass
{% endif %}
from ipaddress import ip_network
{% if cookiecutter.database in ("postgresql", "mariadb") or cookiecutter.redis != "none" %}
from pathlib import Path
{% endif %}
{% if cookiecutter.redis != "none" %}
from urllib.parse import quote, urlsplit
{% endif %}

from environs import Env, EnvError, validate
{% if cookiecutter.database != "none" %}
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError
{% endif %}
{% if cookiecutter.database != "none" %}

INVALID_URL_ERRORS = (ArgumentError, ValueError)
{% endif %}


@dataclass(frozen=True)
class Settings:
    """The settings of one deployment."""

    environment: str
    log_level: str
    port: int
    workers: int
    threads: int
    max_body_bytes: int
    root_path: str
    trusted_proxies: list[str]
{% if cookiecutter.metrics == "prometheus" %}
    metrics: bool
{% endif %}
{% if cookiecutter.database != "none" %}
    database_url: URL
    statement_seconds: int
{% endif %}
{% if cookiecutter.database in ("postgresql", "mariadb") %}
    pool_size: int
{% endif %}
{% if cookiecutter.redis != "none" %}
    redis_url: str = field(repr=False)  # it may have a password
{% endif %}
{% if "cache" in cookiecutter.redis %}
    cache_seconds: int
{% endif %}


def load_settings() -> Settings:
    """Read and check the environment; exit with a sentence that names the variable that is wrong."""
    env = Env()
    try:
        return Settings(
            environment=env.str("ENVIRONMENT", "production", validate=validate.OneOf(["development", "production"])),
            log_level=env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])),
            port=env.int("PORT", {{ cookiecutter.port }}, validate=validate.Range(1, 65535)),
            workers=env.int("WORKERS", 2, validate=validate.Range(1, 8)),
            threads=env.int("THREADS", 100, validate=validate.Range(1, 128)),
            max_body_bytes=env.int("MAX_BODY_BYTES", 1024 * 1024, validate=validate.Range(1)),
            root_path=env.str("ROOT_PATH", "", validate=validate.Regexp(r"^(/[\w.~-]+)*$", error="must be a path")),
            trusted_proxies=env.list("TRUSTED_PROXIES", ["127.0.0.1"], subcast=parse_proxy),
{% if cookiecutter.metrics == "prometheus" %}
            metrics=env.bool("METRICS", False),
{% endif %}
{% if cookiecutter.database == "sqlite" %}
            database_url=parse_database_url(env.str("DATABASE_URL", "sqlite:////data/app.db")),
{% elif cookiecutter.database != "none" %}
            database_url=parse_database_url(env.str("DATABASE_URL"), env.str("DATABASE_PASSWORD_FILE", None)),
{% endif %}
{% if cookiecutter.database != "none" %}
            statement_seconds=env.int("STATEMENT_SECONDS", 2, validate=validate.Range(1, 3600)),
{% endif %}
{% if cookiecutter.database in ("postgresql", "mariadb") %}
            pool_size=env.int("POOL_SIZE", 4, validate=validate.Range(1, 100)),
{% endif %}
{% if cookiecutter.redis != "none" %}
            redis_url=add_redis_password(
                env.str("REDIS_URL", validate=validate.Regexp(r"rediss?://.+", error="must start with redis://")),
                env.str("REDIS_PASSWORD_FILE", None),
            ),
{% endif %}
{% if "cache" in cookiecutter.redis %}
            cache_seconds=env.int("CACHE_SECONDS", 60, validate=validate.Range(1, 86400)),
{% endif %}
        )
    except EnvError as error:
        raise SystemExit(f"settings: {error}") from None


def parse_proxy(text: str) -> str:
    """Check one of TRUSTED_PROXIES: an address, a network, or `*` for all; raise EnvError."""
    proxy = text.strip()
    try:
        if proxy != "*":
            ip_network(proxy)
    except ValueError as error:
        raise EnvError(f'Environment variable "TRUSTED_PROXIES" invalid: {error}') from None
    return proxy
{% if cookiecutter.database != "none" %}


{% if cookiecutter.database == "sqlite" %}
def parse_database_url(text: str) -> URL:
    """Parse DATABASE_URL; raise EnvError for anything but an SQLite file."""
{% else %}
def parse_database_url(text: str, password_file: str | None) -> URL:
    """Parse DATABASE_URL, and put in the driver and the password from its file; raise EnvError."""
{% endif %}
    try:
        url = make_url(text)
    except INVALID_URL_ERRORS:
        raise EnvError('Environment variable "DATABASE_URL" invalid: it is not a URL') from None
{% if cookiecutter.database == "sqlite" %}
    if url.get_backend_name() != "sqlite" or not url.database:
        raise EnvError('Environment variable "DATABASE_URL" invalid: it must be sqlite:///path/to/file')
    return url.set(drivername="sqlite")
{% else %}
{% if cookiecutter.database == "postgresql" %}
    if url.get_backend_name() not in ("postgres", "postgresql") or not url.host:
        raise EnvError('Environment variable "DATABASE_URL" invalid: it must be postgresql://user@host/name')
    url = url.set(drivername="postgresql+psycopg")
{% else %}
    if url.get_backend_name() not in ("mysql", "mariadb") or not url.host:
        raise EnvError('Environment variable "DATABASE_URL" invalid: it must be mariadb://user@host/name')
    # PyMySQL has no `sslmode`: each of its own options turns TLS on, and `ssl_ca` checks the certificate.
    mode = str(url.query.get("sslmode") or url.query.get("ssl-mode") or "").lower()
    if mode.startswith("verify"):
        raise EnvError('Environment variable "DATABASE_URL" invalid: it must have ssl_ca=FILE instead of sslmode')
    url = url.set(drivername="mariadb+pymysql").difference_update_query(["sslmode", "ssl-mode"])
    if mode.startswith("require"):
        url = url.update_query_dict({"ssl_check_hostname": "false"})
{% endif %}
    if password_file is None:
        return url
    return url.set(password=read_password("DATABASE_PASSWORD_FILE", password_file))
{% endif %}
{% endif %}
{% if cookiecutter.redis != "none" %}


def add_redis_password(text: str, password_file: str | None) -> str:
    """Put the password from its file into REDIS_URL; raise EnvError."""
    if password_file is None:
        return text
    url, password = urlsplit(text), read_password("REDIS_PASSWORD_FILE", password_file)
    address = f"{url.username or ''}:{quote(password, safe='')}@{url.netloc.rpartition('@')[2]}"
    return url._replace(netloc=address).geturl()
{% endif %}
{% if cookiecutter.database in ("postgresql", "mariadb") or cookiecutter.redis != "none" %}


def read_password(variable: str, file: str) -> str:
    """Read the password that a variable names the file of; raise EnvError for one that a server would read differently."""
    try:
        password = Path(file).read_bytes().decode().removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise EnvError(
            f'Environment variable "{variable}" invalid: {file} can\'t be read ({error}); run "make secrets" to write it'
        ) from None
    if not password or password != password.strip():
        raise EnvError(
            f'Environment variable "{variable}" invalid: {file} is empty, or has white space before or after the password'
        )
    return password
{% endif %}
