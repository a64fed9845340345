"""The application, put together from its parts."""

{% if cookiecutter.database in ("postgresql", "mariadb") %}
import logging
{% endif %}
{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
{% endif %}
from logging.config import dictConfig

from fastapi import FastAPI
from granian.utils.proxies import wrap_asgi_with_proxy_headers
{% if cookiecutter.database != "none" %}
from sqlalchemy.ext.asyncio import async_sessionmaker
{% endif %}

{% set modules = ["__version__"] + (["database"] if cookiecutter.database != "none" else []) + ["docs", "health", "logs"] + (["metrics"] if cookiecutter.metrics == "prometheus" else []) + ["problems"] + (["queue"] if "queue" in cookiecutter.redis else []) %}
from app import {{ modules | join(", ") }}
{% if "cache" in cookiecutter.redis %}
from app.cache import Cache
{% endif %}
from app.middleware import HeadAsGet, LimitBody, RootPath
{% if cookiecutter.sample == "products" %}
from app.products import routes as products
{% endif %}
{% if "queue" in cookiecutter.redis %}
from app.reports import routes as reports
{% endif %}
from app.settings import Settings, load_settings
{% if cookiecutter.database in ("postgresql", "mariadb") %}

logger = logging.getLogger(__name__)
{% endif %}
{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open what the requests share, and close it at the end."""
    settings: Settings = app.state.settings
{% if cookiecutter.database != "none" %}
{% if cookiecutter.database == "sqlite" %}
    app.state.engine = database.create_engine(settings)
{% else %}
    app.state.engine = database.create_engine(settings, settings.pool_size)
    logger.info(
        "at most %d connections to the database in this process (POOL_SIZE), and one for /ready", settings.pool_size
    )
{% endif %}
{% if cookiecutter.metrics == "prometheus" %}
    if settings.metrics:
        metrics.watch_pool(app.state.engine.sync_engine)
{% endif %}
    app.state.sessions = async_sessionmaker(app.state.engine, expire_on_commit=False)
    # One connection for /ready: it doesn't wait for a busy pool{{ "" if cookiecutter.database == "sqlite" else ", and many probes don't exhaust the database" }}.
    app.state.probe_engine = database.create_engine(settings, pool_size=1)
{% endif %}
{% if cookiecutter.redis != "none" %}
    app.state.probe_redis = health.connect_redis(settings.redis_url)
{% endif %}
{% if "cache" in cookiecutter.redis %}
{% if cookiecutter.database == "none" %}
    app.state.cache = Cache(settings.redis_url, settings.cache_seconds)
{% else %}
    # Longer than it takes a reader from its statement to `set`: the statement, and some seconds for a busy process.
    tombstone_seconds = settings.statement_seconds + 8
    app.state.cache = Cache(settings.redis_url, settings.cache_seconds, tombstone_seconds)
{% endif %}
{% endif %}
{% if "queue" in cookiecutter.redis %}
    app.state.queue = queue.connect(settings.redis_url)
{% endif %}
    yield
{% if "queue" in cookiecutter.redis %}
    app.state.queue.connection.close()
{% endif %}
{% if cookiecutter.redis != "none" %}
    await app.state.probe_redis.aclose()
{% endif %}
{% if "cache" in cookiecutter.redis %}
    await app.state.cache.close()
{% endif %}
{% if cookiecutter.database != "none" %}
    await app.state.engine.dispose()
    await app.state.probe_engine.dispose()
{% endif %}
{% endif %}


def create_app(settings: Settings | None = None) -> FastAPI:
    """Create the application, by default with the settings of the environment."""
    settings = settings or load_settings()
    dictConfig(logs.config(settings))
    app = FastAPI(
        title="{{ cookiecutter.project_name }}",
        description="{{ cookiecutter.description }}",
        version=__version__,
{% if cookiecutter.database != "none" or cookiecutter.redis != "none" %}
        lifespan=lifespan,
{% endif %}
        # Swagger UI comes from docs.py, with a pinned version.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=problems.RESPONSES,
    )
    app.state.settings = settings
    problems.add_error_handlers(app)
{% if cookiecutter.database != "none" %}
    database.add_error_handlers(app)
{% endif %}
{% if "queue" in cookiecutter.redis %}
    queue.add_error_handlers(app)
{% endif %}
{% if cookiecutter.metrics == "prometheus" %}
    if settings.metrics:
        metrics.init_app(app)
{% endif %}
    # The last one added is the first that a request passes.
    app.add_middleware(LimitBody, max_bytes=settings.max_body_bytes)
    app.add_middleware(HeadAsGet)
    app.add_middleware(RootPath, root_path=settings.root_path)
    app.add_middleware(logs.RequestLog)
    app.add_middleware(wrap_asgi_with_proxy_headers, trusted_hosts=settings.trusted_proxies)
    app.include_router(docs.router)
    app.include_router(health.router)
{% if cookiecutter.sample == "products" %}
    app.include_router(products.router)
{% endif %}
{% if "queue" in cookiecutter.redis %}
    app.include_router(reports.router)
{% endif %}
    return app
