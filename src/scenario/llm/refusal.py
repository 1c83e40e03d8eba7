"""Errors for what a service answers instead of a reply."""

from scenario.errors import (
    ContentFilterError,
    ContextTooLongError,
    MalformedAnswerError,
    ModelAuthenticationError,
    ModelError,
    ModelRequestError,
    ModelServerError,
    RateLimitError,
    UnknownModelError,
)
from scenario.llm.problem import Problem, ProblemKind

_ADVICE: dict[ProblemKind, tuple[type[ModelError], str, str]] = {
    ProblemKind.AUTHENTICATION: (
        ModelAuthenticationError,
        "the service refused the key",
        "check the API key: that it is whole, of this service, still valid, and allowed to use the model",
    ),
    ProblemKind.QUOTA: (
        RateLimitError,
        "the account's quota or credit is used up",
        "add credit or raise the account's limit; repeating the request will not help",
    ),
    ProblemKind.RATE_LIMIT: (
        RateLimitError,
        "the service limits the rate of requests",
        "run fewer scenarios at once, set `max_concurrency` of the model, or raise the account's limits",
    ),
    ProblemKind.CONTENT_FILTER: (
        ContentFilterError,
        "the service's content filter refused the request",
        "reword the scenario, or use a model with a filter that lets it pass",
    ),
    ProblemKind.CONTEXT_TOO_LONG: (
        ContextTooLongError,
        "the request is too long for the model",
        "use a model with a larger context window, or a shorter conversation",
    ),
    ProblemKind.UNKNOWN_MODEL: (
        UnknownModelError,
        "the service does not know the model",
        "check the model's name, and that the key may use it",
    ),
    ProblemKind.WRONG_ADDRESS: (
        ModelServerError,
        "the URL does not speak the chat-completions API",
        "check `api_base`; most end in /v1",
    ),
    ProblemKind.BROKEN_TOOL_CALL: (
        MalformedAnswerError,
        "the model called a tool in a way that the service could not read",
        "ask again, or use a model that is better at calling tools",
    ),
    ProblemKind.SERVER: (ModelServerError, "the service failed", "try again later, or use another model"),
    ProblemKind.REQUEST: (
        ModelRequestError,
        "the service refused the request",
        "change what it names: an extra parameter of the model, the messages or the tools",
    ),
}


def refusal(problem: Problem, name: str, base_url: str, attempts: int = 1) -> ModelError:
    """Return the error for a problem.

    Args:
        problem: What the service said.
        name: Name of the model, as the agent names it.
        base_url: Where the model is served.
        attempts: Number of requests after which it was given up.
    """
    kind, what, fix = _ADVICE[problem.kind]
    said = f": {problem.message}" if problem.message else ""
    tried = f" (tried {attempts} times)" if attempts > 1 else ""
    return kind(f"{name}: {what} (status {problem.status} from {base_url}){tried}{said}", fix, name, problem.status)


def not_json(body: bytes, page: str, name: str, base_url: str) -> ModelError:
    """Return the error for an answer that should be a reply and is not JSON.

    Args:
        body: The answer.
        page: What it says, as text.
        name: Name of the model, as the agent names it.
        base_url: Where the model is served.
    """
    if not body.strip():
        return MalformedAnswerError(
            f"{name}: {base_url} answered with nothing at all", "look at the server's log", name, 200
        )
    if body.lstrip()[:1] in {b"{", b"["}:
        return MalformedAnswerError(
            f"{name}: {base_url} answered with JSON that breaks off or is not valid: {page}",
            "look at the server's log, and at any proxy or gateway between",
            name,
            200,
        )
    return ModelServerError(
        f"{name}: {base_url} answered with something that is not the chat-completions API: {page}",
        "check `api_base`; most end in /v1",
        name,
        200,
    )
