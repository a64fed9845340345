"""Errors in one JSON shape, problem details (RFC 9457), in the answers and in the API description."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import flask_smorest
from apispec import BasePlugin
from flask import Flask, Request, Response, json
from marshmallow import Schema, fields
from webargs.flaskparser import FlaskParser, abort
from werkzeug.exceptions import HTTPException

PROBLEM_JSON = "application/problem+json"


class InvalidFieldSchema(Schema):
    """One invalid field of a request."""

    field = fields.String(required=True)
    message = fields.String(required=True)


class ProblemSchema(Schema):
    """The body of every error response."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.List(fields.Nested(InvalidFieldSchema))


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

    def operation_helper(
        self,
        path: str | None = None,  # noqa: ARG002 # passed by apispec
        operations: dict[str, Any] | None = None,
        **_kwargs: Any,
    ) -> None:
        """Add the response for all other errors to every operation."""
        for operation in (operations or {}).values():
            operation["responses"]["default"] = "DEFAULT_ERROR"


class Api(flask_smorest.Api):
    """The API and its description, with problem details for errors."""

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask) -> None:
        """Register the error handler and the routes of the API description."""
        super().__init__(app, spec_kwargs={"extra_plugins": [ProblemPlugin()]})

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Turn an HTTPException, an unexpected exception (500) included, into a problem."""
        # The keyword arguments of flask_smorest.abort(), and webargs' validation messages.
        data: dict[str, Any] = getattr(error, "data", {})
        detail = data.get("message") or error.description or ""
        messages = data.get("errors") or data.get("messages")
        if messages and "message" not in data:
            detail = "The request is not valid."
        headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
        return problem(
            error.code or HTTPStatus.INTERNAL_SERVER_ERROR,
            detail,
            errors=list(invalid_fields(messages)) if messages else None,
            headers={**headers, **(data.get("headers") or {})},
        )


def problem(
    status: int,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the response for an error."""
    known = status in set(HTTPStatus)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase if known else "Error",
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    return Response(json.dumps(body), status, headers, content_type=PROBLEM_JSON)


def invalid_fields(messages: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Flatten marshmallow's nested messages, `{"json": {"price": ["…"]}}`, into one entry for each message."""
    if isinstance(messages, Mapping):
        for name, nested in messages.items():
            # The outermost name is the part of the request: json, query, …
            known = name in ("json", "query", "_schema")
            yield from invalid_fields(nested, path if known else f"{path}.{name}".lstrip("."))
    elif isinstance(messages, list):
        for message in messages:
            yield from invalid_fields(message, path)
    else:
        yield {"field": path, "message": str(messages)}
