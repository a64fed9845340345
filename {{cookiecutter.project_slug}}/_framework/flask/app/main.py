"""The application, put together from its parts."""

import logging.config
import time

from flask import Flask, Response, g, request

from app import {{ "cache, " if "cache" in cookiecutter.redis else "" }}{{ "database, " if cookiecutter.database != "none" else "" }}health, logs, problems, products{{ ", reports" if "queue" in cookiecutter.redis else "" }}
from app.settings import Settings, load_settings


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application with these settings, by default the environment's."""
    settings = settings or load_settings()
    logging.config.dictConfig(logs.config(settings.environment, settings.log_level))
    app = Flask(__name__)
    app.config.from_mapping(
        API_TITLE="{{ cookiecutter.project_name }}",
        API_VERSION="0.1.0",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        OPENAPI_SWAGGER_UI_PATH="docs",
        OPENAPI_SWAGGER_UI_URL="https://cdn.jsdelivr.net/npm/swagger-ui-dist@5/",
{% if cookiecutter.redis != "none" %}
        REDIS_URL=settings.redis_url,
{% endif %}
    )
    log_requests(app)
{% if cookiecutter.database != "none" %}
    database.init_app(app, settings)
{% endif %}
{% if "cache" in cookiecutter.redis %}
    cache.init_app(app, settings)
{% endif %}
{% if "queue" in cookiecutter.redis %}
    reports.init_app(app, settings)
{% endif %}
    api = problems.Api(app)
    api.register_blueprint(health.blueprint)
    api.register_blueprint(products.blueprint)
{% if "queue" in cookiecutter.redis %}
    api.register_blueprint(reports.blueprint)
{% endif %}
    return app


def log_requests(app: Flask) -> None:
    """Give every request an id, which its answer carries too, and write a line when it has been answered."""

    @app.before_request
    def begin() -> None:
        g.started = time.perf_counter()
        g.request_id = logs.begin_request(request.headers.get("X-Request-ID"))

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.request_id
        logs.end_request(request.method, request.path, response.status_code, time.perf_counter() - g.started)
        return response
