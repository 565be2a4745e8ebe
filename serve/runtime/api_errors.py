"""Errors as the API answers them: `{"error": {"message", "type", "param", "code"}}` with a fitting status."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from serve.runtime.request_ids import request_id

# Below Serve's own logger, whose lines carry the request's id, and are JSON where the configuration says so.
log = logging.getLogger("ray.serve.swiggle")


class ApiError(Exception):
    """An error that the client is told of."""

    def __init__(
        self, status: int, code: str, message: str, param: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param, self.headers = status, code, message, param, headers

    def __reduce__(self) -> tuple[type["ApiError"], tuple[Any, ...]]:
        """Parts of the graph raise it in processes of their own."""
        return ApiError, (self.status, self.code, self.message, self.param, self.headers)


def unavailable(code: str, message: str) -> ApiError:
    """503, to be tried again."""
    return ApiError(503, code, message, headers={"Retry-After": "1"})


def error_body(status: int, code: str, message: str, param: str | None = None) -> dict:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def first_problem(problems: Sequence[Any]) -> tuple[str | None, str]:
    """Of pydantic's errors the first: the field and what is wrong with it."""
    first = problems[0]
    where = [str(part) for part in first["loc"] if part not in ("body", "query", "path", "header")]
    param = ".".join(where) or None
    return param, f"{param}: {first['msg']}" if param else str(first["msg"])


def add_error_handlers(app: FastAPI) -> None:
    """Answer every failure in the one shape; nothing a client sends ends in a traceback."""

    @app.exception_handler(ApiError)
    async def api_error(request: Request, error: ApiError) -> JSONResponse:
        body = error_body(error.status, error.code, error.message, error.param)
        return JSONResponse(body, error.status, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        param, message = first_problem(error.errors())
        status = 400 if error.errors()[0]["type"] == "json_invalid" else 422
        return JSONResponse(error_body(status, "invalid_request", message, param), status)

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> JSONResponse:
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
        body = error_body(error.status_code, code, str(error.detail))
        return JSONResponse(body, error.status_code, headers=error.headers)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        log.error("request %s: %s %s failed: %r", request_id.get(), request.method, request.url.path, error)
        return JSONResponse(error_body(500, "internal_error", "the server failed to answer; this is a bug"), 500)
