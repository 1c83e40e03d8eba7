"""Models behind an OpenAI-compatible chat-completions API, over our own wire."""

import json
import time
from dataclasses import replace
from operator import methodcaller
from typing import TYPE_CHECKING, Any

from scenario.errors import ModelError, ModelTimeoutError
from scenario.llm.chat_model import ModelReply, ModelRequest
from scenario.llm.concessions import CONCESSIONS, Concessions, conceded, known_concessions
from scenario.llm.connection import Connection, connection_to, first_set
from scenario.llm.json_values import is_object
from scenario.llm.model_settings import ModelSettings, body_members
from scenario.llm.permission import check_permission
from scenario.llm.prices import Price, known_price
from scenario.llm.problem import Problem, ProblemKind, read_problem
from scenario.llm.providers import Provider, family_of
from scenario.llm.refusal import not_json, refusal
from scenario.llm.reply import ReplyFacts, read_reply
from scenario.llm.request_body import encoded, request_body
from scenario.llm.traffic import MODEL_TRAFFIC

if TYPE_CHECKING:
    from scenario.llm.call_result import CallResult

_MOST_CONCESSIONS = 8
_NEGOTIABLE = frozenset({ProblemKind.REQUEST, ProblemKind.WRONG_ADDRESS, ProblemKind.SERVER})


class OpenAICompatibleModel:
    """A chat model behind an OpenAI-compatible API.

    Making one costs nothing: the environment is read and the HTTP client is loaded at the first call.
    """

    def __init__(
        self,
        name: str,
        provider: Provider,
        model: str,
        *,
        api_base: str | None = None,
        api_key: str | None = None,
        settings: ModelSettings | None = None,
    ) -> None:
        """Describe a model.

        Args:
            name: Name of the model as the agent names it.
            provider: Who serves it, or whose facts apply.
            model: Name of the model at the provider.
            api_base: Base URL, in place of the provider's own.
            api_key: Key, in place of the environment's.
            settings: How requests are made.
        """
        self.name = name
        self._provider = provider
        self._model = model
        self._api_base = api_base
        self._api_key = api_key
        self._settings = settings or ModelSettings()
        self._known = known_concessions(provider, family_of(model))
        self._connection: Connection | None = None

    def __repr__(self) -> str:
        return f"OpenAICompatibleModel({self.name})"

    @property
    def price(self) -> Price | None:
        """Price of the model's tokens, or None when it is not known."""
        is_elsewhere = self._api_base or first_set(self._provider.base_url_variables)
        provider = None if is_elsewhere else self._provider.prefix
        return self._settings.price or known_price(self.name, provider, self._model)

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask the model.

        Raises:
            MissingKeyError: If the service needs a key and none is set.
            ModelRequestsForbiddenError: If real requests are forbidden and the service is not on this machine.
            ModelError: If no usable answer could be had.
        """
        connection = self.connection()
        check_permission(self.name, connection.host)
        extras = {**self._settings.body, **body_members(request.extra)} if request.extra else self._settings.body
        concessions = CONCESSIONS.of(connection.base_url, self._model, self._known)
        started = time.monotonic()
        attempts = 0
        problem: Problem | None = None
        for _ in range(_MOST_CONCESSIONS):
            body = request_body(request, self._model, extras, self._provider, concessions)
            left = self._settings.total_seconds - (time.monotonic() - started)
            if left <= 0:
                raise self._out_of_time(attempts)
            call = methodcaller("make", connection, encoded(body), self._settings, self.name, left)
            done: CallResult = await MODEL_TRAFFIC.run(call)
            attempts += done.attempts
            problem = done.problem
            if problem is None:
                return self._read(done.body, connection, concessions, attempts, time.monotonic() - started)
            found = conceded(problem, body, extras, concessions) if problem.kind in _NEGOTIABLE else None
            if found is None:
                break
            concessions = CONCESSIONS.learn(connection.base_url, self._model, found, self._known, self.name)
        assert problem is not None
        raise self._refusal(problem, connection, attempts)

    def connection(self) -> Connection:
        """Return the way to the model's service, as the environment of the first call has it.

        Raises:
            MissingKeyError: If the service needs a key and none is set.
            ConfigurationError: If there is no base URL, or one that cannot be used.
        """
        if self._connection is None:
            self._connection = connection_to(
                self._provider,
                self._model,
                api_base=self._api_base,
                api_key=self._api_key,
                settings=self._settings,
                name=self.name,
            )
        return self._connection

    def _read(
        self, body: bytes, connection: Connection, concessions: Concessions, attempts: int, duration: float
    ) -> ModelReply:
        try:
            answer: Any = json.loads(body)
        except (ValueError, RecursionError) as error:
            page = connection.redacted(read_problem(200, body).message)
            raise not_json(body, page, self.name, connection.base_url) from error
        facts = ReplyFacts(
            name=self.name,
            price=self.price,
            reports_cost=self._provider.reports_cost,
            thinks_inline=self._provider.thinks_inline,
            echoed=concessions.echoed | self._provider.echoed,
            echoed_in_calls=self._provider.echoed_in_calls,
        )
        return read_reply(answer if is_object(answer) else {"answer": answer}, facts, attempts, duration)

    def _refusal(self, problem: Problem, connection: Connection, attempts: int) -> ModelError:
        shown = replace(problem, message=connection.redacted(problem.message))
        return refusal(shown, self.name, connection.base_url, attempts)

    def _out_of_time(self, attempts: int) -> ModelError:
        return ModelTimeoutError(
            f"{self.name} gave no answer within {self._settings.total_seconds:g} s ({attempts} requests)",
            "raise `total_timeout` of the model",
            self.name,
        )
