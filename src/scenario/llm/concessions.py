"""What a model has been found not to take, and how requests give way to it.

A service that refuses a part of a request says so; the request is sent again without that part, and the next one
to the same model is sent without it from the start.
"""

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from logging import getLogger
from typing import Any, Literal

from scenario.llm.problem import Problem
from scenario.llm.providers import ModelFamily, Provider, ToolForcing

_log = getLogger(__name__)

_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Concessions:
    """How requests to a model differ from what was asked for.

    Attributes:
        refused: Members of the body that are left out.
        refused_in_messages: Members of messages that are left out.
        refused_in_schemas: Keywords that are taken out of the tools' schemas.
        tool_forcing: The strongest way in which a tool may be forced.
        strict_schemas: Whether tools may ask for their schemas to be enforced.
        reasoning_off: Whether requests with tools switch the model's reasoning off.
        text_only: Whether lists of texts are sent as one text.
        echoed: Members of assistant messages that are sent back.
        token_limit: Name of the member that limits the tokens of an answer.
    """

    refused: frozenset[str] = _NOTHING
    refused_in_messages: frozenset[str] = _NOTHING
    refused_in_schemas: frozenset[str] = _NOTHING
    tool_forcing: ToolForcing = "named"
    strict_schemas: bool = True
    reasoning_off: bool = False
    text_only: bool = False
    echoed: frozenset[str] = _NOTHING
    token_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"


def known_concessions(provider: Provider, family: ModelFamily) -> Concessions:
    """Return what is known of a model before it was ever asked."""
    own = family if family.provider == provider.prefix else None
    return Concessions(
        refused=provider.refused | (own.refused if own else _NOTHING),
        refused_in_messages=frozenset({"name"}) if provider.unnamed_speakers else _NOTHING,
        tool_forcing=own.tool_forcing if own else "named",
        echoed=provider.echoed,
        token_limit=provider.token_limit,
    )


class ConcessionMemory:
    """What this process has found out about models, by base URL and model."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Concessions] = {}
        self._lock = threading.Lock()

    def of(self, base_url: str, model: str, known: Concessions) -> Concessions:
        """Return what a model does not take: `known`, until more was found out."""
        return self._found.get((base_url, model), known)

    def learn(self, base_url: str, model: str, found: Concessions, known: Concessions, name: str) -> Concessions:
        """Remember a finding for all later requests to the model and say so once.

        Args:
            base_url: Where the model is served.
            model: Name of the model there.
            found: What was found out.
            known: What was known before any finding.
            name: Name of the model, for the log.

        Returns:
            What is known now, findings of other callers included.
        """
        with self._lock:
            before = self._found.get((base_url, model), known)
            after = _merged(before, found)
            self._found[base_url, model] = after
        for text in _differences(before, after):
            _log.warning("%s: the service refused part of a request; from now on %s", name, text)
        return after

    def forget(self) -> None:
        """Forget all findings."""
        with self._lock:
            self._found.clear()


CONCESSIONS = ConcessionMemory()
"""What this process has found out about the models it asked."""


def conceded(problem: Problem, body: Mapping[str, Any], asked: Iterable[str], now: Concessions) -> Concessions | None:
    """Return how a request may give way to a refusal, or None if it is not one that can be met.

    Args:
        problem: The refusal.
        body: The request's body that was refused.
        asked: Members of the body that the caller gave by name.
        now: The concessions that the body was made with.
    """
    text = problem.text
    for rule in (_tool_forcing, _reasoning, _token_limit, _schemas, _messages):
        after = rule(text, problem, body, frozenset(asked), now)
        if after is not None and after != now:
            return after
    refused = _refused_members(text, problem, body) - now.refused
    return replace(now, refused=now.refused | refused) if refused else None


def _tool_forcing(
    text: str, problem: Problem, body: Mapping[str, Any], asked: frozenset[str], now: Concessions
) -> Concessions | None:
    choice = body.get("tool_choice")
    if choice in (None, "auto", "none") or "--enable-auto-tool-choice" in text or not _ABOUT_FORCING.search(text):
        return None
    both_refused = choice == "required" or re.search(r"\brequired\b.*\bobject\b|\"any\"|forc", text)
    listed = re.search(r"(supported|allowed|valid|expected)[^.]*\brequired\b", text)
    return replace(now, tool_forcing="required" if listed or not both_refused else "auto")


def _reasoning(
    text: str, problem: Problem, body: Mapping[str, Any], asked: frozenset[str], now: Concessions
) -> Concessions | None:
    if "reasoning_effort" not in text or "tool" not in text or "tools" not in body or "reasoning_effort" in asked:
        return None
    return None if now.reasoning_off else replace(now, reasoning_off=True)


def _token_limit(
    text: str, problem: Problem, body: Mapping[str, Any], asked: frozenset[str], now: Concessions
) -> Concessions | None:
    if "max_tokens" in body and "max_completion_tokens" in text and _UNSUPPORTED.search(text):
        return replace(now, token_limit="max_completion_tokens")
    if "max_completion_tokens" in body and _names("max_completion_tokens", text, problem) and _UNSUPPORTED.search(text):
        return replace(now, token_limit="max_tokens") if now.token_limit == "max_completion_tokens" else None
    return None


def _schemas(
    text: str, problem: Problem, body: Mapping[str, Any], asked: frozenset[str], now: Concessions
) -> Concessions | None:
    tools = body.get("tools")
    if not tools:
        return None
    is_strict = any(tool["function"].get("strict") for tool in tools)
    if is_strict and (re.search(r"\bstrict\b", text) or _BAD_SCHEMA.search(text)):
        return replace(now, strict_schemas=False)
    keywords: set[str] = set(_REFUSED_KEYWORD.findall(text))
    if "additionalproperties" in text and _UNSUPPORTED.search(text):
        keywords.add("additionalproperties")
    found = frozenset(keyword for keyword in _SCHEMA_KEYWORDS if keyword.lower() in keywords) - now.refused_in_schemas
    return replace(now, refused_in_schemas=now.refused_in_schemas | found) if found else None


def _messages(
    text: str, problem: Problem, body: Mapping[str, Any], asked: frozenset[str], now: Concessions
) -> Concessions | None:
    if "reasoning_content" in text and re.search(r"passed back|missing", text) and not now.echoed:
        return replace(now, echoed=now.echoed | {"reasoning_content"})
    if not now.text_only and _TEXT_WANTED.search(text) and _has_lists(body):
        return replace(now, text_only=True)
    members = {path.rsplit(".", 1)[-1] for path in problem.members if path.startswith("messages.")}
    members |= set(re.findall(r"'messages\.\d+' : property '(\w+)' is unsupported", text))
    found = frozenset(members) - now.refused_in_messages - _VITAL_IN_MESSAGES
    if not found or not _UNSUPPORTED.search(text):
        return None
    return replace(now, refused_in_messages=now.refused_in_messages | found, echoed=now.echoed - found)


def _refused_members(text: str, problem: Problem, body: Mapping[str, Any]) -> frozenset[str]:
    if not _UNSUPPORTED.search(text):
        return _NOTHING
    if "reasoning_effort" in text and "tool" in text:
        return _NOTHING  # it is their combination that is refused, and the caller wanted both
    named = frozenset(name for name in body if name not in _VITAL and _names(name, text, problem))
    # Two that exclude each other: the one that everybody takes stays.
    return named - {"temperature"} if len(named) > 1 and "both" in text else named


def _names(member: str, text: str, problem: Problem) -> bool:
    if any(path == member or path.startswith(f"{member}.") for path in problem.members):
        return True
    camel = re.sub(r"_(\w)", lambda match: match[1], member)
    spellings = "|".join({re.escape(member), re.escape(camel)})
    if "_" in member or member in _TELLING:
        return re.search(rf"(?<![\w.])({spellings})(?!\w)", text) is not None
    return (
        re.search(rf"(['\"`]({spellings})['\"`]|(supplied|parameter|field|argument)s?:? ({spellings})\b)", text)
        is not None
    )


def _has_lists(body: Mapping[str, Any]) -> bool:
    return any(isinstance(message.get("content"), list) for message in body.get("messages", ()))


def _merged(before: Concessions, found: Concessions) -> Concessions:
    weaker = _FORCINGS.index(found.tool_forcing) > _FORCINGS.index(before.tool_forcing)
    return Concessions(
        refused=before.refused | found.refused,
        refused_in_messages=before.refused_in_messages | found.refused_in_messages,
        refused_in_schemas=before.refused_in_schemas | found.refused_in_schemas,
        tool_forcing=found.tool_forcing if weaker else before.tool_forcing,
        strict_schemas=before.strict_schemas and found.strict_schemas,
        reasoning_off=before.reasoning_off or found.reasoning_off,
        text_only=before.text_only or found.text_only,
        echoed=found.echoed,
        token_limit=found.token_limit,
    )


def _differences(before: Concessions, after: Concessions) -> list[str]:
    said: list[str] = []
    for name in (field.name for field in fields(Concessions)):
        old, new = getattr(before, name), getattr(after, name)
        if old == new:
            continue
        if isinstance(new, frozenset):
            said.append(_SAID[name].format(", ".join(sorted(new ^ old))))
        else:
            said.append(_SAID[name].format(new))
    return said


_SAID = {
    "refused": "{} is left out",
    "refused_in_messages": "{} is left out of messages",
    "refused_in_schemas": "{} is left out of tool schemas",
    "tool_forcing": "a forced tool call is asked for as tool_choice={}",
    "strict_schemas": "tools are sent without `strict`",
    "reasoning_off": "requests with tools are sent with reasoning_effort=none",
    "text_only": "content is sent as text, not as a list of parts",
    "echoed": "{} is sent back with assistant messages",
    "token_limit": "the limit of tokens is sent as {}",
}

_FORCINGS: tuple[ToolForcing, ...] = ("named", "required", "auto")
_VITAL = frozenset({"model", "messages", "tools", "tool_choice", "response_format", "stream"})
_VITAL_IN_MESSAGES = frozenset({"role", "content", "tool_calls", "tool_call_id"})
_TELLING = frozenset({"temperature", "seed", "logprobs"})
_SCHEMA_KEYWORDS = ("$schema", "additionalProperties", "const", "propertyNames", "examples", "title", "default")

_ABOUT_FORCING = re.compile(
    r"tool[_ ]choice|toolchoice|forc\w+ tool|tool use is forced|function[_ ]call\w* (is )?forced|forc\w+ a? ?function"
)
_BAD_SCHEMA = re.compile(
    r"invalid_function_parameters|invalid schema for|invalid tool schema|schema is too complex|json schema"
)
_REFUSED_KEYWORD = re.compile(r"unknown name \"(\$?\w+)\" at '?\S*(?:parameters|function_declarations)")
_TEXT_WANTED = re.compile(
    r"value must be a string|expects a single .?text|content must be a string|expected a string|"
    r"content.{0,40}should be a valid string"
)
_UNSUPPORTED = re.compile(
    r"not support|unsupported|does(n't| not) support|n't supported|unknown|unrecogni[sz]ed|deprecated|"
    r"extra inputs|extra_forbidden|not permitted|unexpected|only the default|not allowed|"
    r"cannot be (used|specified|set)|cannot both be|not available|"
    r"is not a valid (field|parameter|argument)|no longer|incompatible|not compatible"
)
