"""Errors in one JSON shape, whoever raises them: problem details, RFC 9457."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
{% if "queue" in cookiecutter.redis %}
from redis import RedisError
{% endif %}
{% if cookiecutter.database != "none" %}
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFreeError
from sqlalchemy.orm.exc import StaleDataError
{% endif %}
from starlette.exceptions import HTTPException

from app import logs

logger = logging.getLogger(__name__)


class InvalidField(BaseModel):
    """What is wrong with one field of a request."""

    field: str
    message: str


class Problem(BaseModel):
    """The body of every answer that is an error."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[InvalidField] | None = None


def problem(
    status: int, detail: str, errors: list[InvalidField] | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return the answer that says what went wrong."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors)
    return JSONResponse(
        body.model_dump(exclude_none=True), status, headers=headers, media_type="application/problem+json"
    )


def init_app(app: FastAPI) -> None:
    """Answer every exception with a problem, an unforeseen one included."""

    @app.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, error.detail, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        if any(found["type"] == "json_invalid" for found in error.errors()):
            return problem(HTTPStatus.BAD_REQUEST, "The body is not valid JSON.")
        fields = [
            # The first place says where it stood, in the body or the query: the field's name comes after it.
            InvalidField(field=".".join(map(str, found["loc"][1:])), message=found["msg"])
            for found in error.errors()
        ]
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid.", fields)

    @app.exception_handler(Exception)
    async def unforeseen(_request: Request, _error: Exception) -> JSONResponse:
        # Sent past the middleware that gives every other answer its id.
        headers = {"X-Request-ID": logs.request_id.get() or ""}
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The server failed to answer the request.", headers=headers)
{% if cookiecutter.database != "none" %}

    @app.exception_handler(OperationalError)
    @app.exception_handler(InterfaceError)
    @app.exception_handler(NoConnectionFreeError)
    async def no_database(_request: Request, error: Exception) -> JSONResponse:
        logger.error("the database can't answer: %s", error)
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "The database can't answer at the moment.")

    @app.exception_handler(StaleDataError)
    async def deleted(_request: Request, _error: Exception) -> JSONResponse:
        return problem(HTTPStatus.NOT_FOUND, "It was deleted in the meantime.")
{% endif %}
{% if "queue" in cookiecutter.redis %}

    @app.exception_handler(RedisError)
    async def no_queue(_request: Request, error: Exception) -> JSONResponse:
        logger.error("the queue does not answer: %s", error)
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, "The queue does not answer.")
{% endif %}
