"""Errors in one JSON shape: problem details (RFC 9457)."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from flask import Response, json
from marshmallow import Schema, fields

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
    """Flatten marshmallow's nested messages, `{"size": {"width": ["…"]}}`, into one entry for each message."""
    if isinstance(messages, Mapping):
        for name, nested in messages.items():
            # Messages about the object as a whole have the name _schema.
            yield from invalid_fields(nested, path if name == "_schema" else f"{path}.{name}".lstrip("."))
    elif isinstance(messages, list | tuple):
        for message in messages:
            yield from invalid_fields(message, path)
    else:
        yield {"field": path, "message": str(messages)}
