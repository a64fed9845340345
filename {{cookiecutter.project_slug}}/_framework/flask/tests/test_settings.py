"""Settings: mistakes end the start with a sentence{{ ", and addresses are taken as platforms give them" if cookiecutter.database != "none" or cookiecutter.redis != "none" else "" }}."""

{% if cookiecutter.database in ("postgresql", "mariadb") or cookiecutter.redis != "none" %}
from pathlib import Path

{% endif %}
import pytest

from app.settings import load_settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "test"),
        ("LOG_LEVEL", "loud"),
        ("PORT", "0"),
        ("WORKERS", "0"),
        ("WORKERS", "many"),
        ("THREADS", "0"),
        ("MAX_BODY_BYTES", "0"),
        ("ROOT_PATH", "no path"),
        ("TRUSTED_PROXIES", "10.0.0.0/33"),
        ("TRUSTED_PROXIES", "127.0.0.1, proxy"),
{% if cookiecutter.database != "none" %}
        ("DATABASE_URL", "oracle://db"),
        ("DATABASE_URL", "oracle://db:port/app"),
        ("STATEMENT_SECONDS", "0"),
{% endif %}
{% if cookiecutter.database in ("postgresql", "mariadb") %}
        ("DATABASE_PASSWORD_FILE", ""),
        ("POOL_SIZE", "0"),
{% endif %}
{% if cookiecutter.redis != "none" %}
        ("REDIS_URL", "http://redis"),
        ("REDIS_PASSWORD_FILE", ""),
{% endif %}
{% if "cache" in cookiecutter.redis %}
        ("CACHE_SECONDS", "0"),
{% endif %}
    ],
)
def test_invalid(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The sentence names the variable."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=name):
        load_settings()
{% if cookiecutter.database in ("postgresql", "mariadb") or cookiecutter.redis != "none" %}


@pytest.mark.parametrize(
    "name",
    [
{% if cookiecutter.database in ("postgresql", "mariadb") %}
        "DATABASE_URL",
{% endif %}
{% if cookiecutter.redis != "none" %}
        "REDIS_URL",
{% endif %}
    ],
)
def test_missing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A required variable that is missing is named."""
    monkeypatch.delenv(name)
    with pytest.raises(SystemExit, match=name):
        load_settings()
{% endif %}


def test_trusted_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies are separated by commas."""
    monkeypatch.setenv("TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1")
    assert load_settings().trusted_proxies == ["10.0.0.0/8", "127.0.0.1"]
{% if cookiecutter.database == "sqlite" %}


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pysqlite"])
def test_database_url(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    """The address of a database needs no driver."""
    monkeypatch.setenv("DATABASE_URL", f"{scheme}:////data/other.db")
    assert str(load_settings().database_url) == "sqlite:////data/other.db"
{% elif cookiecutter.database in ("postgresql", "mariadb") %}


{% if cookiecutter.database == "postgresql" %}
@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_database_url(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    """The address of a database may have any of the usual schemes, and keeps its options."""
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://user:secret@host/name?sslmode=require")
    url = load_settings().database_url
    assert url.render_as_string(hide_password=False) == "postgresql+psycopg://user:secret@host/name?sslmode=require"
{% else %}
@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"])
def test_database_url(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    """The address of a database may have any of the usual schemes, and keeps its options."""
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://user:secret@host/name?charset=utf8mb4")
    url = load_settings().database_url
    assert url.render_as_string(hide_password=False) == "mariadb+pymysql://user:secret@host/name?charset=utf8mb4"


@pytest.mark.parametrize("option", ["sslmode=require", "ssl-mode=REQUIRED"])
def test_tls(monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    """TLS can be asked for as other clients have it."""
    monkeypatch.setenv("DATABASE_URL", f"mysql://user:secret@host/name?{option}")
    assert load_settings().database_url.query == {"ssl_check_hostname": "false"}
{% endif %}


def test_password_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The password comes from its file; one newline at the end is allowed."""
    file = tmp_path / "password"
    file.write_text("correct horse\n", encoding="utf-8")
    monkeypatch.setenv("DATABASE_PASSWORD_FILE", str(file))
    assert load_settings().database_url.password == "correct horse"  # noqa: S105
    assert "horse" not in repr(load_settings())


@pytest.mark.parametrize("password", ["", "\n", "secret \n", "secret\r\n", " secret", "secret\n\n"])
def test_ambiguous_password_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, password: str) -> None:
    """A password that the database would read differently is refused."""
    file = tmp_path / "password"
    file.write_bytes(password.encode())
    monkeypatch.setenv("DATABASE_PASSWORD_FILE", str(file))
    with pytest.raises(SystemExit, match="DATABASE_PASSWORD_FILE"):
        load_settings()
{% endif %}
{% if cookiecutter.redis != "none" %}


def test_redis_password_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The password of Redis comes from its file, and its URL keeps the rest."""
    file = tmp_path / "password"
    file.write_text("p@ss:word\n", encoding="utf-8")
    monkeypatch.setenv("REDIS_PASSWORD_FILE", str(file))
    monkeypatch.setenv("REDIS_URL", "rediss://app@redis:6380/2?protocol=3")
    assert load_settings().redis_url == "rediss://app:p%40ss%3Aword@redis:6380/2?protocol=3"
    assert "word" not in repr(load_settings())
    file.write_text("white space \n", encoding="utf-8")
    with pytest.raises(SystemExit, match="REDIS_PASSWORD_FILE"):
        load_settings()
{% endif %}
