"""Models of providers that only LiteLLM can reach. LiteLLM is an extra, loaded at the first call."""

import asyncio
import os
import sys
import time
import urllib.parse
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from typing import Any, TypeAlias, cast

from scenario.errors import (
    MissingExtraError,
    ModelConnectionError,
    ModelError,
    ModelTimeoutError,
)
from scenario.llm.chat_model import ModelReply, ModelRequest
from scenario.llm.concessions import CONCESSIONS, Concessions, conceded
from scenario.llm.io_loop import IoLoop
from scenario.llm.model_settings import NEEDS_LITELLM, body_members, settings_from
from scenario.llm.permission import check_permission
from scenario.llm.prices import FREE, Price, known_price
from scenario.llm.problem import Problem, ProblemKind, problem_in
from scenario.llm.providers import Provider
from scenario.llm.refusal import refusal
from scenario.llm.reply import ReplyFacts, read_reply
from scenario.llm.request_body import request_body
from scenario.llm.retries import Retries, Trouble

_MOST_CONCESSIONS = 8
_FACTS = Provider(prefix="litellm")
_NOTHING_KNOWN = Concessions()
_COST_MAP_VARIABLE = "LITELLM_LOCAL_MODEL_COST_MAP"
# Some versions look for tools of the MCP before every call with tools, and fail without that package.
_LACKS_MCP = "No module named 'mcp'"

Completion: TypeAlias = Callable[..., Awaitable[Any]]

# What LiteLLM's error classes say that their texts may not.
_MEANINGS = {
    "ContextWindowExceededError": "context_length_exceeded",
    "ContentPolicyViolationError": "content_filter",
    "AuthenticationError": "invalid_api_key",
    "NotFoundError": "model_not_found",
    "LiteLLMUnknownProvider": "model_not_found",
}


class LiteLLMModel:
    """A chat model that LiteLLM calls."""

    def __init__(
        self,
        name: str,
        model: str,
        *,
        api_base: str | None = None,
        api_key: str | None = None,
        extras: Mapping[str, Any],
    ) -> None:
        """Describe a model.

        Args:
            name: Name of the model as the agent names it.
            model: Name of the model as LiteLLM knows it.
            api_base: Base URL, in place of the provider's own.
            api_key: Key, in place of the environment's.
            extras: Further parameters of the model.
        """
        self.name = name
        self._model = model
        self._api_base = api_base
        self._api_key = api_key
        self._settings = settings_from(extras)
        self._own = {key: extras[key] for key in NEEDS_LITELLM & extras.keys()}
        self._skips_mcp = False

    def __repr__(self) -> str:
        return f"LiteLLMModel({self.name})"

    @property
    def price(self) -> Price | None:
        """Price of the model's tokens, or None when it is not known."""
        if "mock_response" in self._own:
            return FREE
        return self._settings.price or known_price(self.name, None, self._model)

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Ask the model.

        Raises:
            MissingExtraError: If LiteLLM is not installed.
            ModelRequestsForbiddenError: If real requests are forbidden and the service is not on this machine.
            ModelError: If no usable answer could be had.
        """
        if "mock_response" not in self._own:
            check_permission(self.name, urllib.parse.urlsplit(self._api_base or "").hostname or "its provider")
        return await LITELLM_TRAFFIC.run(lambda completion: self._within_time(completion, request))

    async def _within_time(self, completion: Completion, request: ModelRequest) -> ModelReply:
        try:
            async with asyncio.timeout(self._settings.total_seconds):
                return await self._negotiated(completion, request)
        except ModelTimeoutError:
            raise
        except TimeoutError as error:
            raise self._timed_out(self._settings.total_seconds) from error

    async def _negotiated(self, completion: Completion, request: ModelRequest) -> ModelReply:
        started = time.monotonic()
        extras = {**self._settings.body, **body_members(request.extra)}
        place = self._api_base or "litellm"
        concessions = CONCESSIONS.of(place, self._model, _NOTHING_KNOWN)
        retries = Retries(self._settings.max_retries)
        problem = None
        for _ in range(_MOST_CONCESSIONS):
            body = request_body(request, self._model, extras, _FACTS, concessions)
            answer = await self._answered(completion, body, retries)
            if not isinstance(answer, Problem):
                return self._read(answer, retries.attempts, time.monotonic() - started)
            problem = answer
            found = conceded(problem, body, extras, concessions) if problem.kind is ProblemKind.REQUEST else None
            if found is None:
                break
            concessions = CONCESSIONS.learn(place, self._model, found, _NOTHING_KNOWN, self.name)
        assert problem is not None
        raise refusal(problem, self.name, self._api_base or "LiteLLM", retries.attempts)

    async def _answered(self, completion: Completion, body: Mapping[str, Any], retries: Retries) -> Any:
        """Return LiteLLM's answer, or the problem that it had."""
        while True:
            retries.attempts += 1
            try:
                async with asyncio.timeout(self._settings.attempt_seconds):
                    return await completion(**body, **self._arguments())
            except Exception as error:  # LiteLLM's errors have no base of their own
                if _LACKS_MCP in str(error) and not self._skips_mcp:
                    self._skips_mcp = True
                    continue
                problem = self._problem(error)
                trouble = self._trouble(error, problem)
                wait = retries.wait_before_next(trouble) if trouble else None
                if wait is None:
                    if problem is not None:
                        return problem
                    raise self._error(error) from error
            await asyncio.sleep(wait)

    def _arguments(self) -> dict[str, Any]:
        settings = self._settings
        given = {
            "api_base": self._api_base,
            "api_key": self._api_key,
            "api_version": settings.api_version,
            "organization": settings.organization,
            "extra_headers": dict(settings.headers) or None,
            "azure_ad_token": settings.azure_ad_token,
        }
        return {
            **{key: value for key, value in given.items() if value is not None},
            **self._own,
            "timeout": settings.attempt_seconds,
            "max_retries": 0,
            "drop_params": True,
            **({"_skip_mcp_handler": True} if self._skips_mcp else {}),
        }

    def _read(self, answer: Any, attempts: int, duration: float) -> ModelReply:
        facts = ReplyFacts(name=self.name, price=self.price)
        values: Any = answer.model_dump() if hasattr(answer, "model_dump") else answer
        hidden: Any = getattr(answer, "_hidden_params", None) or {}
        cost = hidden.get("response_cost")
        if self.price is None and isinstance(cost, int | float) and cost > 0 and isinstance(values.get("usage"), dict):
            values["usage"]["cost"] = cost
            facts = ReplyFacts(name=self.name, reports_cost=True)
        return read_reply(values, facts, attempts, duration)

    def _problem(self, error: Exception) -> Problem | None:
        status = getattr(error, "status_code", None)
        kind = type(error).__name__
        if not isinstance(status, int) or status < 400 or kind in {"Timeout", "APIConnectionError"}:
            return None
        message = str(getattr(error, "message", "") or error)
        if self._api_key:
            message = message.replace(self._api_key, "***")
        return problem_in(status, {"message": message, "code": _MEANINGS.get(kind, kind)})

    def _trouble(self, error: Exception, problem: Problem | None) -> Trouble | None:
        if problem is not None:
            return (Trouble.LOAD if problem.is_load else Trouble.FAILURE) if problem.passes else None
        if isinstance(error, TimeoutError) or type(error).__name__ == "Timeout":
            return Trouble.SLOW
        return Trouble.UNREACHABLE if type(error).__name__ == "APIConnectionError" else None

    def _error(self, error: Exception) -> ModelError:
        if isinstance(error, TimeoutError) or type(error).__name__ == "Timeout":
            return self._timed_out(self._settings.attempt_seconds)
        said = " ".join(str(error).split())[:500]
        if self._api_key:
            said = said.replace(self._api_key, "***")
        if type(error).__name__ == "APIConnectionError":
            return ModelConnectionError(
                f"{self.name}: LiteLLM could not reach the service: {said}",
                "check `api_base`, the network and the credentials that LiteLLM needs for this provider",
                self.name,
            )
        return ModelError(
            f"{self.name}: LiteLLM failed with {type(error).__name__}: {said}",
            "see LiteLLM's documentation of the provider",
            self.name,
        )

    def _timed_out(self, limit: float) -> ModelError:
        return ModelTimeoutError(
            f"{self.name} did not answer within {limit:g} s",
            "raise `timeout` and `total_timeout` of the model",
            self.name,
        )


@asynccontextmanager
async def _lent(completion: Completion) -> AsyncGenerator[Completion]:
    yield completion


def _opened() -> AbstractAsyncContextManager[Completion]:
    """Load LiteLLM and lend its completion function.

    Raises:
        MissingExtraError: If it is not installed.
    """
    module = sys.modules.get("litellm") or _loaded()
    return _lent(cast("Completion", module.acompletion))


def _loaded() -> Any:
    # On import LiteLLM fetches a price list from the network, unless it is told that its own will do.
    before = os.environ.get(_COST_MAP_VARIABLE)
    os.environ[_COST_MAP_VARIABLE] = before or "True"
    try:
        module = import_module("litellm")
    except ModuleNotFoundError as error:
        if error.name != "litellm":
            raise
        raise MissingExtraError(
            "this model is reached through LiteLLM, which is not installed",
            'pip install "agent-scenario[litellm]"',
        ) from error
    finally:
        if before is None:
            del os.environ[_COST_MAP_VARIABLE]
    vars(module)["suppress_debug_info"] = True  # it prints advertisements to stdout otherwise
    return module


# A loop of its own, because LiteLLM takes seconds to load, keeps clients by loop and leaves tasks behind on it.
LITELLM_TRAFFIC: IoLoop[Completion] = IoLoop(_opened, "scenario-litellm-traffic")
