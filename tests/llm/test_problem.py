"""Errors of services are understood, in whatever shape they come."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenario.llm.problem import Problem, ProblemKind, error_inside, problem_in, read_problem


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        # OpenAI
        (401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}, "AUTHENTICATION"),
        (404, {"error": {"message": "The model `x` does not exist", "code": "model_not_found"}}, "UNKNOWN_MODEL"),
        (429, {"error": {"message": "Rate limit reached for gpt", "code": "rate_limit_exceeded"}}, "RATE_LIMIT"),
        (429, {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}, "QUOTA"),
        (400, {"error": {"message": "too big", "code": "context_length_exceeded"}}, "CONTEXT_TOO_LONG"),
        (400, {"error": {"message": "flagged", "code": "invalid_prompt"}}, "CONTENT_FILTER"),
        (404, {"error": {"message": "Invalid URL (POST /v1/chat/completion)"}}, "WRONG_ADDRESS"),
        # Azure
        (
            400,
            {
                "error": {
                    "message": "The response was filtered due to the prompt triggering the content management policy.",
                    "code": "content_filter",
                    "innererror": {"code": "ResponsibleAIPolicyViolation"},
                }
            },
            "CONTENT_FILTER",
        ),
        (404, {"error": {"code": "DeploymentNotFound", "message": "No such deployment."}}, "UNKNOWN_MODEL"),
        (404, {"error": {"code": "404", "message": "Resource not found"}}, "WRONG_ADDRESS"),
        # Anthropic
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "SERVER"),
        (400, {"error": {"message": "prompt is too long: 210000 tokens > 200000 maximum"}}, "CONTEXT_TOO_LONG"),
        (400, {"error": {"message": "Your credit balance is too low to access the API."}}, "QUOTA"),
        (404, {"error": {"type": "not_found_error", "message": "model: claude-9 was not found"}}, "UNKNOWN_MODEL"),
        # Gemini
        (400, [{"error": {"code": 400, "message": "API key not valid. Please pass one."}}], "AUTHENTICATION"),
        (429, [{"error": {"code": 429, "message": "You exceeded your current quota."}}], "RATE_LIMIT"),
        (400, [{"error": {"message": "The input token count (9) exceeds the maximum number"}}], "CONTEXT_TOO_LONG"),
        (404, [{"error": {"message": "models/gemini-9 is not found for API version"}}], "UNKNOWN_MODEL"),
        # Groq
        (400, {"error": {"message": "Failed to call a function.", "code": "tool_use_failed"}}, "BROKEN_TOOL_CALL"),
        (413, {"error": {"message": "Request too large for model", "code": "rate_limit_exceeded"}}, "CONTEXT_TOO_LONG"),
        # Mistral
        (401, {"message": "Unauthorized", "request_id": "1"}, "AUTHENTICATION"),
        (422, {"detail": [{"type": "missing", "loc": ["body", "messages"], "msg": "Field required"}]}, "REQUEST"),
        # DeepSeek
        (402, {"error": {"message": "Insufficient Balance"}}, "QUOTA"),
        (400, {"error": {"message": "Model Not Exist"}}, "UNKNOWN_MODEL"),
        (400, {"error": {"message": "Content Exists Risk"}}, "CONTENT_FILTER"),
        # xAI
        (400, {"code": "invalid argument", "error": "Incorrect API key provided: xa***"}, "AUTHENTICATION"),
        # OpenRouter
        (403, {"error": {"code": 403, "message": "x requires moderation. Your input was flagged."}}, "CONTENT_FILTER"),
        (404, {"error": {"message": "No endpoints found that support tool use."}}, "REQUEST"),
        (404, {"error": {"message": "No endpoints found for some/model."}}, "UNKNOWN_MODEL"),
        (
            400,
            {
                "error": {
                    "message": "Provider returned error",
                    "metadata": {"raw": '{"error": {"message": "context length exceeded"}}'},
                }
            },
            "CONTEXT_TOO_LONG",
        ),
        # Ollama, llama.cpp, vLLM, LM Studio, NVIDIA
        (404, {"error": {"message": 'model "x" not found, try pulling it first'}}, "UNKNOWN_MODEL"),
        (400, {"error": {"message": "registry.ollama.ai/library/x does not support tools"}}, "REQUEST"),
        (500, {"error": {"code": 500, "message": "Context size has been exceeded."}}, "CONTEXT_TOO_LONG"),
        (400, {"error": {"type": "exceed_context_size_error", "message": "request exceeds"}}, "CONTEXT_TOO_LONG"),
        (503, {"error": {"message": "Loading model", "type": "unavailable_error"}}, "SERVER"),
        (
            400,
            {"object": "error", "message": "This model's maximum context length is 9 tokens", "code": 400},
            "CONTEXT_TOO_LONG",
        ),
        (
            200,
            {"error": "Unexpected endpoint or method. (POST /chat/completions). Returning 200 anyway"},
            "WRONG_ADDRESS",
        ),
        (404, {"status": 404, "title": "Not Found", "detail": "Not found for account"}, "WRONG_ADDRESS"),
        (404, {"detail": "Not Found"}, "WRONG_ADDRESS"),
        (405, {"detail": "Method Not Allowed"}, "WRONG_ADDRESS"),
        (307, {}, "WRONG_ADDRESS"),
        (408, {"error": {"message": "timeout"}}, "SERVER"),
        (502, {}, "SERVER"),
        (418, {"error": {"message": "short and stout"}}, "REQUEST"),
    ],
)
def test_services_phrase_it_in_many_ways(status: int, body: Any, kind: str) -> None:
    assert read_problem(status, json.dumps(body).encode()).kind is ProblemKind[kind]


@pytest.mark.parametrize(
    ("status", "passes"), [(400, False), (401, False), (408, True), (409, True), (429, True), (500, True), (501, False)]
)
def test_some_problems_pass(status: int, passes: bool) -> None:
    assert Problem(status=status, message="x").passes is passes


def test_a_page_is_shown_as_its_text_and_not_too_much_of_it() -> None:
    page = "<html><head><style>a {b: c}</style></head><body><h1>Bad   Gateway</h1>" + "x" * 5000

    problem = read_problem(502, page.encode())

    assert problem.message.startswith("Bad Gateway x")
    assert len(problem.message) <= 201


def test_long_messages_are_cut() -> None:
    assert len(problem_in(400, {"error": {"message": "x" * 5000}}).message) <= 501


def test_what_is_wrong_with_which_member_is_read() -> None:
    detail = [{"type": "extra_forbidden", "loc": ["body", "messages", 3, "user", "name"], "msg": "Extra inputs"}]

    problem = problem_in(422, {"message": {"detail": detail}})

    assert problem.members == ("messages.3.user.name",)
    assert "Extra inputs" in problem.message


def test_a_wait_that_is_asked_for_in_the_body_is_read() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "24.5s"}]

    assert problem_in(429, [{"error": {"message": "Quota", "details": details}}]).retry_after == 24.5


def test_a_reply_holds_no_error() -> None:
    answers: list[Any] = [None, [], {}, {"error": None, "choices": []}, {"choices": [{"message": {}}]}]

    assert [error_inside(answer) for answer in answers] == [None] * len(answers)


def test_an_error_in_place_of_a_choice_is_found() -> None:
    answer = {"choices": [{"error": {"code": 502, "message": "Upstream"}, "finish_reason": "error"}]}

    assert problem_in(200, error_inside(answer)).status == 502


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["error", "message", "detail", "code", "loc", "msg", "raw", "x"]), inner),
    ),
    max_leaves=10,
)


@given(st.integers(300, 599), _json)
def test_any_error_of_json_is_a_problem_of_some_kind(status: int, body: Any) -> None:
    problem = read_problem(status, json.dumps(body).encode())

    assert problem.kind in ProblemKind
    assert problem.status == status


@given(st.binary(max_size=200))
def test_any_bytes_are_a_problem_of_some_kind(body: bytes) -> None:
    assert read_problem(400, body).kind in ProblemKind
