"""Errors in one JSON shape, problem details (RFC 9457), in the responses and in the API description."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.utils import is_body_allowed_for_status_code
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.routing import Match

PROBLEM_JSON = "application/problem+json"


class Problem(BaseModel):
    """The body of every error response."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    # One {"field": …, "message": …} for each invalid field.
    errors: list[dict[str, str]] | None = None
    # The detail of an HTTPException, if it isn't a string.
    data: Any = None


# Not `{"model": Problem}`: FastAPI would describe it as application/json.
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": description, "content": {PROBLEM_JSON: {"schema": Problem.model_json_schema()}}}
    for status, description in {"4XX": "The request was refused.", "5XX": "The server failed."}.items()
}


def problem(
    status: int,
    detail: Any,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the response for an error."""
    title = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
    body = Problem(title=title, status=status, detail=title, errors=errors)
    if isinstance(detail, str):
        body.detail = detail
    else:
        body.data = detail
    return Response(body.model_dump_json(exclude_none=True), status, headers, media_type=PROBLEM_JSON)


def add_error_handlers(app: FastAPI) -> None:
    """Answer every exception with a problem."""
    app.add_exception_handler(HTTPException, handle_http_exception)  # type: ignore[arg-type] # takes subclasses
    app.add_exception_handler(RequestValidationError, handle_invalid_request)  # type: ignore[arg-type]
    # As a handler for Exception it would answer outside of all middleware: without CORS headers and request id.
    app.add_middleware(ServerErrorMiddleware, handler=handle_unexpected_error)


async def handle_http_exception(request: Request, error: HTTPException) -> Response:
    """Keep the status, the detail and the headers."""
    if not is_body_allowed_for_status_code(error.status_code):
        return Response(status_code=error.status_code, headers=error.headers)
    headers = error.headers
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {**(headers or {}), "Allow": ", ".join(allowed_methods(request))}
    return problem(error.status_code, error.detail, headers=headers)


def allowed_methods(request: Request) -> list[str]:
    """Return the methods of a path: each route of FastAPI names only its own."""
    requests = {method: {**request.scope, "method": method} for method in ("GET", "POST", "PUT", "PATCH", "DELETE")}
    allowed = [
        method
        for method, scope in requests.items()
        if any(route.matches(scope)[0] == Match.FULL for route in request.app.routes)
    ]
    return ["HEAD", *allowed] if "GET" in allowed else allowed


async def handle_invalid_request(_request: Request, error: RequestValidationError) -> Response:
    """Answer 422 with the invalid fields, or what is wrong with the request as a whole."""
    errors = error.errors()
    places = {item["loc"][0] for item in errors}
    if "path" in places:
        return problem(HTTPStatus.NOT_FOUND, "There is nothing at this URL.")
    if any(item["type"] == "json_invalid" for item in errors):
        return problem(HTTPStatus.BAD_REQUEST, "The body is not valid JSON.")
    if "body" in places and isinstance(error.body, bytes):
        # FastAPI decodes no body of another content type.
        return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The content type must be application/json.")
    fields = [{"field": ".".join(map(str, item["loc"][1:])), "message": item["msg"]} for item in errors]
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid.", errors=fields)


async def handle_unexpected_error(_request: Request, _error: Exception) -> Response:
    """Answer 500; the server logs the exception, which ServerErrorMiddleware raises again."""
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The server failed to answer the request.")
