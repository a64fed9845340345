"""The page that shows the API description, and what `/` answers."""

from flask import Blueprint, Response, current_app, jsonify, redirect, send_from_directory, url_for
from werkzeug.wrappers import Response as BaseResponse

from app import __version__

blueprint = Blueprint("docs", __name__)


@blueprint.get("/docs")
def get_docs() -> Response:
    """Show the API description in Swagger UI."""
    return send_from_directory(current_app.root_path, "docs.html")


@blueprint.get("/")
def get_root() -> BaseResponse:
    """Redirect to /docs in development; in production, name the service."""
    if current_app.config["SETTINGS"].environment == "development":
        return redirect(url_for(".get_docs"))
    return jsonify(name=current_app.config["API_TITLE"], version=__version__)
