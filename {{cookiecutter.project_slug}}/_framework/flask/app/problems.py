"""Errors in one JSON shape, whoever raises them: problem details, RFC 9457."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import flask_smorest
from flask import Response, jsonify
from marshmallow import Schema, fields
from werkzeug.exceptions import HTTPException


class InvalidField(Schema):
    """What is wrong with one field of a request."""

    field = fields.String(required=True)
    message = fields.String(required=True)


class Problem(Schema):
    """The body of every answer that is an error."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    errors = fields.List(fields.Nested(InvalidField))


class Api(flask_smorest.Api):
    """The API and its description, with errors as problem details."""

    ERROR_SCHEMA = Problem

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Answer with the problem that an exception stands for, an unforeseen one included."""
        messages = getattr(error, "data", {}).get("messages")
        if messages is None or error.code == HTTPStatus.BAD_REQUEST:
            response = problem(error.code or 500, error.description or "")
        else:
            response = problem(error.code or 500, "The request is not valid.", list(invalid_fields(messages)))
        for name, value in error.get_headers():
            if name != "Content-Type":
                response.headers[name] = value
        return response


def problem(status: int, detail: str, errors: list[dict[str, str]] | None = None) -> Response:
    """Return the answer that says what went wrong."""
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    body["detail"] = detail
    if errors:
        body["errors"] = errors
    response = jsonify(body)
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


def invalid_fields(messages: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Yield each message of marshmallow, `{"json": {"price": ["…"]}}`, with the field that it is about."""
    for fields_of in messages.values():
        found = fields_of if isinstance(fields_of, dict) else {"": fields_of}
        for field, reasons in found.items():
            for reason in reasons if isinstance(reasons, list) else [str(reasons)]:
                yield {"field": "" if field == "_schema" else str(field), "message": reason}
