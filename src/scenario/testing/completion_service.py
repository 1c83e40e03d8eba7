"""Answers the requests of OpenAI's API: checks them, has them answered, and lets planned faults happen."""

import hmac
import json
import re
import threading
import time
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard, assert_never

from scenario.llm.chat_model import ModelReply
from scenario.llm.offline import OFFLINE_MODELS
from scenario.testing.answer_sources import AnswerSource, answerer
from scenario.testing.api_errors import (
    ApiError,
    invalid,
    missing_key,
    not_json,
    unknown_model,
    unknown_path,
    wrong_content_type,
    wrong_key,
    wrong_method,
)
from scenario.testing.completions import completion, model_request, stream_events
from scenario.testing.connection import Delivery
from scenario.testing.fault_plan import FaultPlan
from scenario.testing.faults import Broken, Distorted, Garbled, Refused, Slow, distorted
from scenario.testing.http_messages import HttpRequest, HttpResponse
from scenario.testing.request_rules import refusal

_COMPLETIONS = "/v1/chat/completions"
_AZURE_COMPLETIONS = re.compile(r"/openai/deployments/(?P<model>[^/]+)/chat/completions")
_MODELS = "/v1/models"


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A chat completion request as it arrived.

    Attributes:
        path: The path.
        query: The query, undecoded.
        headers: The headers, by lower-case name.
        body: The body; empty if it was no JSON object.
    """

    path: str
    query: str
    headers: Mapping[str, str]
    body: dict[str, Any]


class CompletionService:
    """Answers requests; see `LocalModelServer` for what it can be told.

    Its methods may be called from any thread but `respond`, which belongs to the server's.
    """

    def __init__(
        self,
        answer: AnswerSource,
        *,
        latency: float,
        api_key: str | None,
        models: Sequence[str],
        strict: bool,
        seed: int,
    ) -> None:
        self.faults = FaultPlan(seed)
        self.received: list[ReceivedRequest] = []
        self._arrived = threading.Condition()
        self._answer = answerer(answer)
        self._latency = latency
        self._api_key = api_key
        self._models = tuple(models)
        self._strict = strict

    def set_answer(self, answer: AnswerSource) -> None:
        """Answer from something else from now on."""
        self._answer = answerer(answer)

    def set_latency(self, latency: float) -> None:
        """Answer `latency` seconds after the request from now on."""
        self._latency = latency

    def wait_for_calls(self, count: int, timeout: float) -> None:
        """Block until `count` chat completion requests have arrived."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.received) >= count, timeout):
                raise TimeoutError(f"{len(self.received)} of {count} model requests arrived in {timeout:g} s")

    def respond(self, request: HttpRequest) -> Delivery | Coroutine[Any, Any, Delivery]:
        """Answer a request, at once or with a coroutine."""
        azure = _AZURE_COMPLETIONS.fullmatch(request.path)
        if request.path == _COMPLETIONS or azure:
            if request.method != "POST":
                return self._refused(wrong_method(request.method, request.path))
            return self._complete(request, azure["model"] if azure else None)
        if request.path == _MODELS or request.path.startswith(f"{_MODELS}/"):
            return self._model_list(request)
        return self._refused(unknown_path(request.method, request.path))

    def _complete(self, request: HttpRequest, deployment: str | None) -> Delivery | Coroutine[Any, Any, Delivery]:
        body = _parsed(request.body)
        if deployment is not None and _is_object(body):
            body = {"model": deployment, **body}
        with self._arrived:
            seen = body if _is_object(body) else {}
            self.received.append(ReceivedRequest(request.path, request.query, request.headers, seen))
            self._arrived.notify_all()
        error = self._key_error(request) or self._body_error(request, body)
        if error is not None or not _is_object(body):
            return self._refused(error or not_json())
        fault = self.faults.fault_for(body)
        if isinstance(fault, Refused):
            return self._refused(fault.error)
        if isinstance(fault, Garbled):
            return Delivery(pieces=fault.response.pieces(), delay=self._latency)
        try:
            answer = self._answer(model_request(body), str(body.get("model", "")))
            if isinstance(answer, ModelReply):
                return self._delivery(answer, body, fault)
        except Exception as error:  # an answer of the test's own may raise anything; the client is told
            return self._refused(_failed_answer(error))
        return self._answer_later(answer, body, fault)

    async def _answer_later(
        self, answer: Awaitable[ModelReply], body: Mapping[str, Any], fault: Distorted | Broken | Slow | None
    ) -> Delivery:
        try:
            return self._delivery(await answer, body, fault)
        except Exception as error:  # an answer of the test's own may raise anything; the client is told
            return self._refused(_failed_answer(error))

    def _delivery(
        self, reply: ModelReply, body: Mapping[str, Any], fault: Distorted | Broken | Slow | None
    ) -> Delivery:
        answer: Any = completion(reply, str(body.get("model", "")))
        if isinstance(fault, Distorted):
            answer = distorted(fault, answer)
        pieces = _response(answer, body).pieces()
        match fault:
            case None | Distorted():
                return Delivery(pieces=pieces, delay=self._latency)
            case Broken():
                return Delivery(pieces=_first_share(pieces, fault.share), delay=self._latency, then=fault.then)
            case Slow():
                return Delivery(
                    pieces=_cut(pieces, fault.pieces), delay=self._latency + fault.delay, interval=fault.interval
                )
            case _:
                assert_never(fault)

    def _refused(self, error: ApiError) -> Delivery:
        return Delivery(pieces=error.response().pieces(), delay=self._latency)

    def _key_error(self, request: HttpRequest) -> ApiError | None:
        if self._api_key is None:
            return None
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = token if scheme.lower() == "bearer" else request.headers.get("api-key", "")
        if not given:
            return missing_key()
        return None if hmac.compare_digest(given.encode(), self._api_key.encode()) else wrong_key(given)

    def _body_error(self, request: HttpRequest, body: Any) -> ApiError | None:
        content_type = request.headers.get("content-type", "")
        if content_type.partition(";")[0].strip().lower() != "application/json":
            return wrong_content_type(content_type)
        if not _is_object(body):
            return not_json()
        if self._strict and (error := refusal(body)):
            return error
        if self._models and body.get("model") not in self._models:
            return unknown_model(str(body.get("model")))
        return None

    def _model_list(self, request: HttpRequest) -> Delivery:
        error = self._key_error(request)
        if request.method != "GET":
            error = wrong_method(request.method, request.path)
        name = request.path.removeprefix(_MODELS).removeprefix("/")
        known = self._models or OFFLINE_MODELS
        if name and name not in known and error is None:
            error = unknown_model(name)
        if error is not None:
            return self._refused(error)
        entries = [{"id": model, "object": "model", "created": 1_700_000_000, "owned_by": "local"} for model in known]
        listed = {"object": "list", "data": entries}
        answer = next(entry for entry in entries if entry["id"] == name) if name else listed
        return Delivery(pieces=HttpResponse(body=json.dumps(answer).encode()).pieces(), delay=self._latency)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _failed_answer(error: Exception) -> ApiError:
    return invalid(
        f"the answer of the local model server failed: {type(error).__name__}: {error}", code="answer_failed"
    )


def _response(answer: Any, body: Mapping[str, Any]) -> HttpResponse:
    headers = {"x-request-id": f"req_local{time.monotonic_ns():x}", "openai-processing-ms": "1"}
    if not body.get("stream"):
        return HttpResponse(body=json.dumps(answer).encode(), headers=headers)
    options: Mapping[str, Any] = body.get("stream_options") or {}
    events = stream_events(answer, include_usage=bool(options.get("include_usage")))
    return HttpResponse(body=events, content_type="text/event-stream; charset=utf-8", headers=headers)


def _first_share(pieces: Sequence[bytes], share: float) -> list[bytes]:
    if share <= 0:
        return []
    whole = b"".join(pieces)
    head = whole.find(b"\r\n\r\n") + 4
    return [whole[: head + int((len(whole) - head) * share)]]


def _cut(pieces: Sequence[bytes], count: int) -> list[bytes]:
    whole = b"".join(pieces)
    size = max(1, -(-len(whole) // max(1, count)))
    return [whole[start : start + size] for start in range(0, len(whole), size)]
