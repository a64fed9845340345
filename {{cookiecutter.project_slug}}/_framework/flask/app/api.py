"""Flask-Smorest, adapted: how arguments are read, and how errors are answered and described."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import flask_smorest
from apispec import BasePlugin
from flask import Flask, Request, Response
from marshmallow import Schema
from webargs.flaskparser import FlaskParser, abort
from werkzeug.exceptions import HTTPException

from app.problems import PROBLEM_JSON, ProblemSchema, invalid_fields, problem

REQUEST_PARTS = ("json", "query", "path", "form", "files", "headers", "cookies")


class JsonParser(FlaskParser):
    """Reads JSON bodies as Flask does: 415 for another content type, 400 for invalid JSON."""

    def load_json(self, req: Request, schema: Schema) -> Any:  # noqa: ARG002 # the signature is webargs'
        """Return the decoded body."""
        try:
            return req.get_json()
        except RecursionError:
            abort(HTTPStatus.BAD_REQUEST, message="The JSON is nested too deeply.")


class Blueprint(flask_smorest.Blueprint):
    """A blueprint whose arguments are read by JsonParser."""

    ARGUMENTS_PARSER = JsonParser()


class ProblemPlugin(BasePlugin):
    """Describes errors as application/problem+json; Flask-Smorest assumes application/json."""

    def response_helper(self, response: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """Change the content type of the error responses that Flask-Smorest registers."""
        content = response.get("content", {})
        return {"content": {PROBLEM_JSON: content["application/json"]}} if content else {}


class Api(flask_smorest.Api):
    """The API and its description, with problem details for errors."""

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask) -> None:
        """Register the error handler and the routes of the API description."""
        super().__init__(app, spec_kwargs={"extra_plugins": [ProblemPlugin()]})

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Turn an HTTPException, an unexpected exception (500) included, into a problem."""
        # The keyword arguments of flask_smorest.abort(), and webargs' messages
        data: dict[str, Any] = getattr(error, "data", {})
        errors = [*invalid_parts(data.get("messages")), *invalid_parts(data.get("errors"))]
        detail = str(data.get("message") or error.description or "")
        if errors and "message" not in data:
            detail = "The request is not valid."
        headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
        return problem(
            error.code or HTTPStatus.INTERNAL_SERVER_ERROR,
            detail,
            errors=errors,
            headers={**headers, **dict(data.get("headers") or {})},
        )


def invalid_parts(messages: Any) -> Iterator[dict[str, str]]:
    """Flatten messages that may be sorted by the part of the request, `{"json": {"name": ["…"]}}`."""
    if isinstance(messages, Mapping):
        for part, nested in messages.items():
            yield from invalid_fields(nested if part in REQUEST_PARTS else {part: nested})
    elif messages:
        yield from invalid_fields(messages)
