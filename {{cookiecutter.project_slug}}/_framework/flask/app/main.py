"""The application, put together from its parts."""

import logging.config

from flask import Flask

{% set modules = ["__version__"] + (["cache"] if "cache" in cookiecutter.redis else []) + (["database"] if cookiecutter.database != "none" else []) + ["docs", "health", "logs"] + (["metrics"] if cookiecutter.metrics == "prometheus" else []) + (["queue"] if "queue" in cookiecutter.redis else []) %}
from app import {{ modules | join(", ") }}
from app.api import Api
{% if cookiecutter.sample == "products" %}
from app.products import routes as products
{% endif %}
{% if "queue" in cookiecutter.redis %}
from app.reports import routes as reports
{% endif %}
from app.settings import Settings, load_settings


def create_app(settings: Settings | None = None) -> Flask:
    """Create the application, by default with the settings of the environment."""
    settings = settings or load_settings()
    logging.config.dictConfig(logs.config(settings))
    app = Flask(__name__)
    app.config.from_mapping(
        SETTINGS=settings,
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        API_TITLE="{{ cookiecutter.project_name }}",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        API_SPEC_OPTIONS={
            "info": {"description": "{{ cookiecutter.description }}"},
            "servers": [{"url": settings.root_path or "/"}],
        },
    )
    logs.init_app(app)
{% if cookiecutter.database != "none" %}
    database.init_app(app, settings)
{% endif %}
{% if "cache" in cookiecutter.redis %}
    cache.init_app(app, settings)
{% endif %}
{% if "queue" in cookiecutter.redis %}
    queue.init_app(app, settings)
{% endif %}
{% if cookiecutter.metrics == "prometheus" %}
    if settings.metrics:
        metrics.init_app(app)
{% endif %}
    app.register_blueprint(docs.blueprint)
    api = Api(app)
    api.register_blueprint(health.blueprint)
{% if cookiecutter.sample == "products" %}
    api.register_blueprint(products.blueprint)
{% endif %}
{% if "queue" in cookiecutter.redis %}
    api.register_blueprint(reports.blueprint)
{% endif %}
    return app
