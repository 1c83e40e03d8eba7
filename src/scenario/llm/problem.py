"""What a service says when it does not answer: read from the many shapes it comes in, and told apart."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from scenario.llm.json_values import is_array, is_object

_SHOWN_CHARACTERS = 500
_SHOWN_OF_PAGES = 200
_DEEPEST = 12


class ProblemKind(Enum):
    """Kinds of problems, as far as they call for different answers."""

    AUTHENTICATION = auto()
    QUOTA = auto()
    RATE_LIMIT = auto()
    CONTENT_FILTER = auto()
    CONTEXT_TOO_LONG = auto()
    UNKNOWN_MODEL = auto()
    WRONG_ADDRESS = auto()
    BROKEN_TOOL_CALL = auto()
    SERVER = auto()
    REQUEST = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An answer that is an error.

    Attributes:
        status: HTTP status, or the one that the error names itself inside an answer with status 200.
        message: What it says, as text.
        code: Its codes and types, in lower case, separated by spaces.
        members: Members of the request that it names, as dotted paths.
        retry_after: Seconds to wait before trying again, if it says so.
        speaks_api: Whether it has the shape of an error of the API.
    """

    status: int
    message: str
    code: str = ""
    members: tuple[str, ...] = ()
    retry_after: float | None = None
    speaks_api: bool = True

    @property
    def text(self) -> str:
        """Everything it says, in lower case."""
        return f"{self.message} {self.code} {' '.join(self.members)}".lower()

    @property
    def kind(self) -> ProblemKind:
        """Which kind of problem it is."""
        return _kind(self)

    @property
    def passes(self) -> bool:
        """Whether the same request may succeed later."""
        kind = self.kind
        return kind is ProblemKind.RATE_LIMIT or (kind is ProblemKind.SERVER and self.status != 501)

    @property
    def is_load(self) -> bool:
        """Whether the service is overloaded or limits the caller's rate."""
        return self.kind is ProblemKind.RATE_LIMIT or self.status == 529


def read_problem(status: int, body: bytes) -> Problem:
    """Read an answer that is not a reply.

    Args:
        status: HTTP status of the answer.
        body: Its body, in whatever form.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError too
        return Problem(status=status, message=_page_text(body), speaks_api=False)
    return problem_in(status, value)


def problem_in(status: int, value: Any) -> Problem:
    """Read a decoded answer, or a part of one, that is not a reply."""
    if is_array(value) and value:
        value = value[0]
    if not is_object(value):
        return Problem(status=status, message=_shortened(json.dumps(value)), speaks_api=False)
    facts = _Facts()
    facts.read(value)
    return Problem(
        status=status if status != 200 else facts.status or _status_of(facts.codes),
        message=_shortened("; ".join(dict.fromkeys(facts.messages))) or _shortened(json.dumps(value)),
        code=" ".join(dict.fromkeys(facts.codes)).lower(),
        members=tuple(dict.fromkeys(facts.members)),
        retry_after=facts.retry_after,
        speaks_api=bool(facts.messages),
    )


def error_inside(value: Any) -> Any:
    """Return the error that an answer of status 200 holds in place of a reply, or None."""
    if not is_object(value):
        return None
    if value.get("error"):
        return value
    choices: Any = value.get("choices")
    if is_array(choices) and choices and is_object(choices[0]) and choices[0].get("error"):
        return choices[0]
    return None


class _Facts:
    """Gathers what an error says, wherever it says it."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.codes: list[str] = []
        self.members: list[str] = []
        self.status: int | None = None
        self.retry_after: float | None = None

    def read(self, value: Mapping[str, Any], depth: int = 0) -> None:
        if depth > _DEEPEST:
            return
        for name in ("error", "message", "detail", "title", "details", "innererror", "metadata", "raw"):
            self._read_part(name, value.get(name), depth + 1)
        for name in ("code", "type", "status"):
            self._read_code(value.get(name))
        if isinstance(member := value.get("param"), str) and member:
            self.members.append(member)
        if isinstance(delay := value.get("retryDelay"), str) and re.fullmatch(r"\d+(\.\d+)?s", delay):
            self.retry_after = float(delay[:-1])
        location: Any = value.get("loc")
        if is_array(location):
            self._read_location([str(step) for step in location], value.get("msg"))

    def _read_part(self, name: str, part: Any, depth: int) -> None:
        if is_object(part):
            self.read(part, depth)
        elif is_array(part):
            for item in part:
                self._read_part(name, item, depth + 1)
        elif isinstance(part, str) and part.strip():
            # Gateways hand on the JSON of the service behind them as text.
            inner = _object_in(part)
            if inner is not None:
                self.read(inner, depth)
            elif name != "details":
                self.messages.append(part.strip())

    def _read_code(self, code: Any) -> None:
        if isinstance(code, bool):
            return
        if isinstance(code, int) and 400 <= code < 600:
            self.status = self.status or code
        elif isinstance(code, str) and code.isdigit() and 400 <= int(code) < 600:
            self.status = self.status or int(code)
        elif isinstance(code, str) and code:
            self.codes.append(code)

    def _read_location(self, steps: list[str], said: object) -> None:
        path = ".".join(steps[1:] if steps[:1] == ["body"] else steps)
        self.members.append(path)
        if isinstance(said, str):
            self.messages.append(f"{path}: {said}")


def _status_of(codes: Iterable[str]) -> int:
    words = " ".join(codes).lower()
    if "rate_limit" in words or "too_many_requests" in words:
        return 429
    return 500 if re.search(r"server|internal|overload|unavailable|timeout", words) else 400


def _object_in(text: str) -> Mapping[str, Any] | None:
    start = text.find("{")
    if start < 0 or '"' not in text:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(text, start)
    except ValueError:
        return None
    if is_object(value) and value.keys() & {"error", "message", "detail"}:
        return value
    return None


def _page_text(body: bytes) -> str:
    text = body[:20_000].decode("utf-8", "replace")
    if re.search(r"<(!doctype|html|head|body)\b", text[:2_000], re.IGNORECASE):
        text = re.sub(r"(?is)<(script|style)\b.*?</\1>", " ", text)
        text = re.sub(r"<[^>]*>", " ", text)
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN_OF_PAGES else text[:_SHOWN_OF_PAGES] + "…"


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


def _matcher(phrases: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(phrases))


_FILTERED = _matcher(
    (
        r"content_filter",
        r"content_policy",
        r"content management policy",
        r"responsibleaipolicyviolation",
        r"invalid_prompt",
        r"data_inspection_failed",
        r"content exists risk",
        r"flagged as potentially violating",
        r"violat\w* (our|the)? ?(usage|safety|content) (policies|policy|guidelines)",
        r"safety system",
        r"requires moderation",
        r"input was flagged",
        r"prohibited_content",
    )
)
_TOO_LONG = _matcher(
    (
        r"context_length",
        r"exceed_context_size",
        r"context (length|window|size)",
        r"maximum context",
        r"prompt is too long",
        r"input is too long",
        r"input token count",
        r"input tokens exceed",
        r"too many (input )?tokens",
        r"reduce the length of",
        r"string_above_max_length",
        r"maximum prompt length",
        r"must have less than \d+ tokens",
        r"tokens in request more than max",
    )
)
_NO_MODEL = _matcher(
    (
        r"model_not_found",
        r"model_decommissioned",
        r"deploymentnotfound",
        r"deployment for this resource does not exist",
        r"model.{0,120}(not found|does(n't| not) exist|not exist|is not available|decommissioned)",
        r"models/\S+ is not found",
        r"(no such|unknown|invalid) model",
        r"not a valid model",
        r"no endpoints found for",
        r"no available model provider",
    )
)
_NO_KEY = _matcher(
    (
        r"(incorrect|invalid|missing|wrong|bad) (x-)?api[- _]?key",
        r"api[- _]?key (is )?(not valid|invalid|missing|expired|not found)",
        r"invalid_api_key",
        r"wrong_api_key",
        r"api_key_invalid",
        r"authentication_error",
        r"authentication fails",
        r"no auth credentials",
        r"invalid (authentication|credentials|token)",
        r"unauthenticated",
    )
)
_NO_MONEY = _matcher(
    (
        r"insufficient_quota",
        r"insufficient[_ ](balance|credits|funds)",
        r"billing_hard_limit",
        r"billing_not_active",
        r"credit balance is too low",
        r"requires more credits",
        r"payment required",
        r"used all available credits",
        r"spending limit",
    )
)


_NO_SUCH_ADDRESS = _matcher(
    (
        r"^\"?not found",
        r"resource not found",
        r"page not found",
        r"invalid url",
        r"unexpected endpoint",
        r"unknown request url",
        r"unknown endpoint",
        r"cannot post",
        r"no route",
        r"no such route",
        r"method not allowed",
    )
)


def _kind(problem: Problem) -> ProblemKind:
    status, text = problem.status, problem.text
    if status >= 500 and not _TOO_LONG.search(text):
        return ProblemKind.SERVER
    if status == 429:
        # "quota" alone is said of rates per minute as well, so only the phrases that mean money count.
        return ProblemKind.QUOTA if _NO_MONEY.search(text) else ProblemKind.RATE_LIMIT
    if status < 400:
        return ProblemKind.WRONG_ADDRESS
    if status in _ANOTHER_TIME:
        return ProblemKind.SERVER
    if status == 402 or _NO_MONEY.search(text):
        return ProblemKind.QUOTA
    if _FILTERED.search(text):
        return ProblemKind.CONTENT_FILTER
    if status == 401 or _NO_KEY.search(text):
        return ProblemKind.AUTHENTICATION
    if "tool_use_failed" in problem.code:
        return ProblemKind.BROKEN_TOOL_CALL
    if status == 413 or _TOO_LONG.search(text):
        return ProblemKind.CONTEXT_TOO_LONG
    if _NO_MODEL.search(text):
        return ProblemKind.UNKNOWN_MODEL
    if status == 403:
        return ProblemKind.AUTHENTICATION
    if not problem.speaks_api or _NO_SUCH_ADDRESS.search(text):
        return ProblemKind.WRONG_ADDRESS
    return ProblemKind.REQUEST


_ANOTHER_TIME = frozenset({408, 409, 425})
