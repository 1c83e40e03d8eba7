"""Real model requests can be forbidden."""

from collections.abc import Iterator
from typing import Any

import pytest
from calling import model_at, request

from scenario.errors import ModelRequestsForbiddenError
from scenario.llm import allow_model_requests, chat_model, model_requests_allowed
from scenario.llm import permission as permission_module
from scenario.llm.permission import is_loopback
from scenario.testing import LocalModelServer


@pytest.fixture(autouse=True)
def _as_the_environment_says() -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]
    before = permission_module._Permission.allowed  # pyright: ignore[reportPrivateUsage]
    permission_module._Permission.allowed = None  # pyright: ignore[reportPrivateUsage]
    yield
    permission_module._Permission.allowed = before  # pyright: ignore[reportPrivateUsage]


async def refused(model: Any) -> bool:
    try:
        await model.complete(request())
    except ModelRequestsForbiddenError:
        return True
    return False


async def test_a_forbidden_request_names_model_and_host() -> None:
    with (
        allow_model_requests(False),
        pytest.raises(ModelRequestsForbiddenError, match=r"openai/gpt-4\.1.*api\.openai\.com"),
    ):
        await chat_model("openai/gpt-4.1", api_key="k").complete(request())


async def test_servers_functions_and_offline_models_of_this_machine_stay_allowed(server: LocalModelServer) -> None:
    with allow_model_requests(False):
        assert not await refused(model_at(server))
        assert not await refused(chat_model(lambda messages, tools: "hi"))
        assert not await refused(chat_model("offline/echo"))


async def test_litellm_is_forbidden_too() -> None:
    with allow_model_requests(False):
        assert await refused(chat_model("bedrock/some.model"))


def test_the_change_ends_with_the_block() -> None:
    with allow_model_requests(False):
        assert not model_requests_allowed()
        with allow_model_requests(True):
            assert model_requests_allowed()
        assert not model_requests_allowed()
    assert model_requests_allowed()


def test_without_a_block_the_change_stays() -> None:
    allow_model_requests(False)

    assert not model_requests_allowed()


@pytest.mark.parametrize("value", ["0", "false", "No"])
def test_the_environment_may_forbid(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENARIO_ALLOW_MODEL_REQUESTS", value)

    assert not model_requests_allowed()
    with allow_model_requests(True):
        assert model_requests_allowed()


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "api.localhost", "127.0.0.1", "127.8.9.10", "::1", "[::1]"]
)
def test_this_machine_goes_by_several_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "example.com", "localhost.example.com", "10.0.0.1", "192.168.1.1", "::2", "0.0.0.0"]
)
def test_other_machines_are_not_this_one(host: str) -> None:
    assert not is_loopback(host)
