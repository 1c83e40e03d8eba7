"""One call of a model over HTTP: attempts, waits between them, and the limits of both."""

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import aiohttp

from scenario.errors import (
    ConfigurationError,
    ModelConnectionError,
    ModelError,
    ModelServerError,
    ModelTimeoutError,
    RateLimitError,
)
from scenario.llm.call_result import CallResult
from scenario.llm.congestion import Gate
from scenario.llm.connection import Connection
from scenario.llm.http_client import AnswerTooLargeError, HttpAnswer, HttpClient, opened_client
from scenario.llm.model_settings import ModelSettings
from scenario.llm.problem import Problem, error_inside, problem_in, read_problem
from scenario.llm.retries import Retries, Trouble, retry_after

_log = logging.getLogger(__name__)

_TOLD_ABOUT_WAITS = 5.0


class Exchanges:
    """Makes exchanges with one HTTP client."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    async def make(
        self, connection: Connection, payload: bytes, settings: ModelSettings, name: str, seconds_left: float
    ) -> CallResult:
        """Post a payload until it is answered, refused for good, or the limits are used up.

        Args:
            connection: Where to.
            payload: The request's body.
            settings: Limits and retries.
            name: Name of the model, for errors.
            seconds_left: Limit for all attempts and the waits between them, from the first on.

        Raises:
            ModelConnectionError: If the service could not be reached.
            ModelTimeoutError: If it did not answer in time.
            ModelServerError: If it answered with more than any model could say.
            RateLimitError: If the limits were used up while waiting for a turn.
            ConfigurationError: If the environment's certificates cannot be read.
        """
        return await _Call(self._client, connection, payload, settings, name, seconds_left).made()


@asynccontextmanager
async def opened_exchanges() -> AsyncGenerator[Exchanges]:
    """Open an HTTP client on the running loop for exchanges, and close it at the end of the block."""
    async with opened_client() as client:
        yield Exchanges(client)


class _Call:
    def __init__(
        self,
        client: HttpClient,
        connection: Connection,
        payload: bytes,
        settings: ModelSettings,
        name: str,
        seconds_left: float,
    ) -> None:
        self._client = client
        self._connection = connection
        self._payload = payload
        self._settings = settings
        self._name = name
        self._seconds = seconds_left
        self._loop = asyncio.get_running_loop()
        self._started = 0.0
        self._retries = Retries(settings.max_retries)

    async def made(self) -> CallResult:
        gate = self._client.gate(self._connection, self._settings.max_concurrency)
        await gate.enter()  # whoever stands before us has limits, so a turn comes
        self._started = self._loop.time()
        while True:
            self._retries.attempts += 1
            try:
                done = await self._attempt(gate)
            finally:
                gate.leave()
            if isinstance(done, CallResult):
                return done
            await self._wait(done)
            await self._next_turn(gate)

    async def _attempt(self, gate: Gate) -> "CallResult | _Setback":
        """Send the request once, holding a place."""
        sent_at = self._loop.time()
        limit = min(self._settings.attempt_seconds, self._left())
        try:
            async with asyncio.timeout(limit):
                answer = await self._client.post(self._connection, self._payload)
        except ConfigurationError:  # a ValueError too, and better said than below
            raise
        except aiohttp.ConnectionTimeoutError as error:
            return self._setback(Trouble.UNREACHABLE, self._unreachable, error, sent_at)
        except TimeoutError as error:
            return self._setback(Trouble.SLOW, self._timed_out, error, sent_at)
        except AnswerTooLargeError as error:
            raise ModelServerError(
                f"{self._name}: {self._connection.base_url} sent an answer larger than any model's",
                "check that `api_base` leads to a chat-completions API",
                self._name,
            ) from error
        except (ssl.SSLCertVerificationError, aiohttp.ClientConnectorCertificateError) as error:
            raise self._untrusted(error) from error
        except (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError) as error:
            return self._setback(Trouble.UNREACHABLE, self._unreachable, error, sent_at)
        except (aiohttp.InvalidURL, ValueError) as error:
            raise ConfigurationError(
                f"{self._name}: a request to {self._connection.base_url} cannot be made: "
                f"{self._connection.redacted(str(error))}",
                "correct `api_base` and the headers",
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            return self._setback(Trouble.FAILURE, self._broken_off, error, sent_at)
        return self._judged(answer, gate, sent_at)

    def _judged(self, answer: HttpAnswer, gate: Gate, sent_at: float) -> "CallResult | _Setback":
        problem = _problem_of(answer)
        if problem is None:
            gate.answered()
            return CallResult(answer.body, None, self._retries.attempts)
        if problem.is_load:
            gate.refused(sent_at)
        asked = retry_after(answer.headers)
        asked = problem.retry_after if asked is None else asked
        wait = self._retries.wait_before_next(_trouble(problem), asked) if problem.passes else None
        if wait is not None and wait >= self._left():
            wait, problem = None, replace(problem, message=f"{problem.message} (the next try would be in {wait:.0f} s)")
        if wait is None:
            return CallResult(answer.body, problem, self._retries.attempts)
        return _Setback(wait, f"status {problem.status}")

    def _setback(
        self, trouble: Trouble, error_for: Callable[[BaseException], ModelError], cause: BaseException, sent_at: float
    ) -> "_Setback":
        if trouble is Trouble.SLOW and self._left() <= 0:
            raise error_for(cause) from cause
        wait = self._retries.wait_before_next(trouble)
        if wait is None or wait >= self._left():
            raise error_for(cause) from cause
        return _Setback(wait, f"{type(cause).__name__} after {self._loop.time() - sent_at:.1f} s")

    async def _wait(self, setback: "_Setback") -> None:
        level = logging.INFO if setback.seconds >= _TOLD_ABOUT_WAITS else logging.DEBUG
        _log.log(
            level,
            "%s: attempt %d: %s; next in %.1f s",
            self._name,
            self._retries.attempts,
            setback.why,
            setback.seconds,
        )
        await asyncio.sleep(setback.seconds)

    async def _next_turn(self, gate: Gate) -> None:
        try:
            async with asyncio.timeout(self._left()):
                await gate.enter()
        except TimeoutError as error:
            raise RateLimitError(
                f"{self._name}: {self._connection.base_url} limits the rate, and no turn came within "
                f"{self._seconds:g} s",
                "run fewer scenarios at once, or raise `total_timeout` of the model",
                self._name,
                429,
            ) from error

    def _left(self) -> float:
        return self._started + self._seconds - self._loop.time()

    def _tried(self) -> str:
        attempts = self._retries.attempts
        times = "once" if attempts == 1 else f"{attempts} times"
        return f"tried {times} in {self._loop.time() - self._started:.1f} s"

    def _timed_out(self, cause: BaseException) -> ModelError:
        limit = min(self._settings.attempt_seconds, self._seconds)
        return ModelTimeoutError(
            f"{self._name}: {self._connection.base_url} did not answer within {limit:g} s ({self._tried()})",
            "raise `timeout` and `total_timeout` of the model, or use one that answers faster",
            self._name,
        )

    def _unreachable(self, cause: BaseException) -> ModelError:
        proxy = self._connection.proxy
        way = f" through the proxy {proxy.url}" if proxy else ""
        return ModelConnectionError(
            f"{self._name}: {self._connection.base_url} cannot be reached{way}: "
            f"{self._connection.redacted(_said(cause))} ({self._tried()})",
            "check that the server is running, that `api_base` is right, and the proxy variables of the environment",
            self._name,
        )

    def _broken_off(self, cause: BaseException) -> ModelError:
        return ModelConnectionError(
            f"{self._name}: {self._connection.base_url} broke off the connection: "
            f"{self._connection.redacted(_said(cause))} ({self._tried()})",
            "look at the server's log; try again later",
            self._name,
        )

    def _untrusted(self, cause: BaseException) -> ModelError:
        return ModelConnectionError(
            f"{self._name}: the certificate of {self._connection.base_url} is not trusted: {_said(cause)}",
            "set SSL_CERT_FILE to the certificates of your organization, or correct `api_base`",
            self._name,
        )


@dataclass(frozen=True, slots=True)
class _Setback:
    seconds: float
    why: str


def _problem_of(answer: HttpAnswer) -> Problem | None:
    if 300 <= answer.status < 400:
        return Problem(status=answer.status, message=f"it redirects to {answer.headers.get('Location', 'nowhere')}")
    if answer.status != 200:
        return None if 200 < answer.status < 300 else read_problem(answer.status, answer.body)
    # Quotation marks inside of texts are escaped, so this is found only where there is a member of that name.
    if b'"error"' not in answer.body:
        return None
    try:
        error = error_inside(json.loads(answer.body))
    except (ValueError, RecursionError):
        return None
    return None if error is None else problem_in(200, error)


def _trouble(problem: Problem) -> Trouble:
    return Trouble.LOAD if problem.is_load else Trouble.FAILURE


def _said(cause: BaseException) -> str:
    if isinstance(cause, aiohttp.ClientConnectorError):
        cause = cause.os_error
    return " ".join(str(cause).split()) or type(cause).__name__
