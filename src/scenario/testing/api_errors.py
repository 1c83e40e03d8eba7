"""Errors as OpenAI's API reports them: a status, and a JSON body with `message`, `type`, `param` and `code`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scenario.testing.http_messages import HttpResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiError:
    """An error answer.

    Attributes:
        status: The HTTP status.
        message: What went wrong, in words.
        type: Kind of error, as the API names it.
        param: The parameter at fault, if it is one.
        code: The API's code for the error, if it has one.
        headers: Further headers, for example `Retry-After`.
    """

    status: int
    message: str
    type: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def body(self) -> dict[str, Any]:
        """Return the body, ready for JSON."""
        return {"error": {"message": self.message, "type": self.type, "param": self.param, "code": self.code}}

    def response(self) -> HttpResponse:
        """Return the error as a response."""
        return HttpResponse(status=self.status, body=json.dumps(self.body()).encode(), headers=self.headers)


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """Return a 400: the request cannot be accepted as it is."""
    return ApiError(status=400, message=message, param=param, code=code)


def not_json() -> ApiError:
    """Return the 400 of a body that is not JSON."""
    return invalid(
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
        "correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
    )


def wrong_content_type(content_type: str) -> ApiError:
    """Return the 400 of a body that is not said to be JSON."""
    return invalid(
        f"Unsupported content type: '{content_type}'. This API method only accepts 'application/json' requests, but "
        f"you specified the header 'Content-Type: {content_type}'. Please try again with a supported content type.",
        code="unsupported_content_type",
    )


def missing_key() -> ApiError:
    """Return the 401 of a request without a key."""
    return ApiError(status=401, message="Missing bearer or basic authentication in header")


def wrong_key(key: str) -> ApiError:
    """Return the 401 of a request with a key that is not the server's."""
    shown = f"{key[:4]}{'*' * 8}{key[-2:]}" if len(key) > 8 else "*" * len(key)
    return ApiError(status=401, message=f"Incorrect API key provided: {shown}.", code="invalid_api_key")


def unknown_model(model: str) -> ApiError:
    """Return the 404 of a model that the server does not have."""
    return ApiError(
        status=404,
        message=f"The model `{model}` does not exist or you do not have access to it.",
        code="model_not_found",
    )


def unknown_path(method: str, path: str) -> ApiError:
    """Return the 404 of a path that is not part of the API."""
    return ApiError(status=404, message=f"Invalid URL ({method} {path})")


def wrong_method(method: str, path: str) -> ApiError:
    """Return the 405 of a method that a path does not take."""
    return ApiError(
        status=405,
        message=f"Not allowed to {method} on {path}. (HINT: Perhaps you meant to use a different HTTP method?)",
        code="method_not_supported",
    )
