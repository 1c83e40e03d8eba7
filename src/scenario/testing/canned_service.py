"""Answers prepared once and sent as they are, for benchmarks: a request costs next to nothing."""

import json
from typing import Any

from scenario.llm.chat_model import ModelReply
from scenario.llm.offline.judge_tools import CONTINUE_TEST, FINISH_TEST, MAKE_VERDICT
from scenario.llm.offline.offline_model import model_tool_call
from scenario.llm.offline.verdicts import verdict
from scenario.testing.completions import completion, model_request
from scenario.testing.connection import Delivery
from scenario.testing.http_messages import HttpRequest, HttpResponse
from scenario.usage import TokenUsage

_OFFERS_VERDICT = f'"{FINISH_TEST}"'.encode()
_OFFERS_DECISION = f'"{MAKE_VERDICT}"'.encode()
_USAGE = TokenUsage(input_tokens=100, output_tokens=10)


class CannedService:
    """Answers every request by what it seems to be, without checking it.

    A judge that asks whether it has seen enough is told to go on, one that asks for the verdict gets it with all
    criteria passed, and everybody else gets the same text.

    Args:
        text: The text.
        latency: Time from a request to its answer, in seconds.
    """

    def __init__(self, text: str, latency: float) -> None:
        self._latency = latency
        go_on = ModelReply(tool_calls=[model_tool_call(CONTINUE_TEST, "{}")], usage=_USAGE)
        self._text = self._prepared(ModelReply(text=text, usage=_USAGE))
        self._decision = self._prepared(go_on)

    def respond(self, request: HttpRequest) -> Delivery:
        """Answer a request."""
        body = request.body
        if _OFFERS_VERDICT in body:
            wanted: dict[str, Any] = json.loads(body)
            if any(tool["function"]["name"] == FINISH_TEST for tool in wanted.get("tools") or ()):
                return self._prepared(verdict.all_passed().reply_to(model_request(wanted)))
        return self._decision if _OFFERS_DECISION in body else self._text

    def _prepared(self, reply: ModelReply) -> Delivery:
        response = HttpResponse(body=json.dumps(completion(reply, "local")).encode())
        return Delivery(pieces=response.pieces(), delay=self._latency)
