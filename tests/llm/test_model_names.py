"""Which provider answers to which name, and where it is."""

import pytest
from calling import request
from hypothesis import given
from hypothesis import strategies as st

from scenario.config import ModelConfig
from scenario.errors import ConfigurationError, MissingKeyError, UnknownProviderError
from scenario.llm import ChatModel, ModelReply, ModelRequest, Provider, chat_model, provider_prefixes, register_provider
from scenario.llm.connection import Connection, connection_to
from scenario.llm.model_settings import settings_from
from scenario.llm.openai_compatible import OpenAICompatibleModel
from scenario.llm.providers import family_of, provider_named
from scenario.testing import LocalModelServer


def way_to(
    prefix: str, model: str = "m", *, api_base: str | None = None, api_key: str | None = "a-key", **extras: object
) -> Connection:
    provider = provider_named(prefix)
    assert provider is not None
    return connection_to(
        provider, model, api_base=api_base, api_key=api_key, settings=settings_from(extras), name=f"{prefix}/{model}"
    )


@pytest.mark.parametrize(
    ("prefix", "url", "variable"),
    [
        ("openai", "https://api.openai.com/v1/chat/completions", "OPENAI_API_KEY"),
        ("anthropic", "https://api.anthropic.com/v1/chat/completions", "ANTHROPIC_API_KEY"),
        (
            "gemini",
            "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
            "GEMINI_API_KEY",
        ),
        ("gemini", "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions", "GOOGLE_API_KEY"),
        ("groq", "https://api.groq.com/openai/v1/chat/completions", "GROQ_API_KEY"),
        ("mistral", "https://api.mistral.ai/v1/chat/completions", "MISTRAL_API_KEY"),
        ("deepseek", "https://api.deepseek.com/chat/completions", "DEEPSEEK_API_KEY"),
        ("xai", "https://api.x.ai/v1/chat/completions", "XAI_API_KEY"),
        ("openrouter", "https://openrouter.ai/api/v1/chat/completions", "OPENROUTER_API_KEY"),
        ("together_ai", "https://api.together.ai/v1/chat/completions", "TOGETHER_API_KEY"),
        ("fireworks_ai", "https://api.fireworks.ai/inference/v1/chat/completions", "FIREWORKS_API_KEY"),
        ("cerebras", "https://api.cerebras.ai/v1/chat/completions", "CEREBRAS_API_KEY"),
        ("perplexity", "https://api.perplexity.ai/chat/completions", "PERPLEXITY_API_KEY"),
        ("cohere", "https://api.cohere.ai/compatibility/v1/chat/completions", "CO_API_KEY"),
        ("nvidia_nim", "https://integrate.api.nvidia.com/v1/chat/completions", "NVIDIA_API_KEY"),
    ],
)
def test_each_provider_has_its_address_and_its_key(
    prefix: str, url: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "key-of-the-environment")

    way = way_to(prefix, api_key=None)

    assert way.url == url
    assert way.headers["Authorization"] == "Bearer key-of-the-environment"


def test_a_key_that_is_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-the-environment")

    assert way_to("openai", api_key="given").headers["Authorization"] == "Bearer given"


@pytest.mark.parametrize("prefix", sorted(set(provider_prefixes()) - {"azure", "azure_openai"}))
def test_a_missing_key_is_an_error_that_names_the_variable(prefix: str) -> None:
    provider = provider_named(prefix)
    assert provider is not None
    if not provider.needs_key:
        assert "Authorization" not in way_to(prefix, api_key=None).headers
        return

    with pytest.raises(MissingKeyError) as raised:
        way_to(prefix, api_key=None, api_base=None if provider.base_url else "https://models.example/v1")

    assert provider.key_variables[0] in raised.value.fix


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("gpt-4.1-mini", "openai"),
        ("o3-mini", "openai"),
        ("o1", "openai"),
        ("chatgpt-4o-latest", "openai"),
        ("ft:gpt-4o-mini:me::abc", "openai"),
        ("claude-sonnet-5", "anthropic"),
        ("gemini-2.5-flash", "gemini"),
        ("mistral-small-latest", "mistral"),
        ("open-mixtral-8x22b", "mistral"),
        ("deepseek-chat", "deepseek"),
        ("grok-4", "xai"),
        ("command-r-plus", "cohere"),
        ("sonar", "perplexity"),
        ("kimi-k3", "moonshot"),
    ],
)
def test_a_bare_name_goes_to_the_provider_of_its_family(name: str, provider: str) -> None:
    assert family_of(name).provider == provider
    assert chat_model(name).name == name


@pytest.mark.parametrize(
    ("name", "guess"),
    [
        ("opnai/gpt-4.1", "openai/gpt-4.1"),
        ("antropic/claude-sonnet-5", "anthropic/claude-sonnet-5"),
        ("OpenAI/gpt-4.1", "openai/gpt-4.1"),
        ("gtp-4.1-mini", "gpt-4.1-mini"),
    ],
)
def test_a_name_nobody_answers_to_is_an_error_that_guesses(name: str, guess: str) -> None:
    with pytest.raises(UnknownProviderError, match=f"did you mean {guess}"):
        chat_model(name)


@given(st.text(st.characters(codec="ascii", exclude_characters="\x00"), max_size=30))
def test_every_name_is_a_model_or_a_clear_error(name: str) -> None:
    try:
        model = chat_model(name)
    except ConfigurationError as error:
        assert error.fix  # noqa: PT017 - either this or the other
    else:
        assert model.name == name.strip()


@pytest.mark.parametrize("name", ["", "  ", "openai/", "openai/a b", "two\nlines"])
def test_what_cannot_be_a_name_is_an_error(name: str) -> None:
    with pytest.raises(ConfigurationError):
        chat_model(name)


@pytest.mark.parametrize("spec", [3, None, ["openai/gpt-4.1"], {"model": "x"}, OpenAICompatibleModel])
def test_what_names_no_model_is_an_error_at_once(spec: object) -> None:
    with pytest.raises(ConfigurationError):
        chat_model(spec)  # pyright: ignore[reportArgumentType] - which is the point


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("openai/my-model", "my-model"),
        ("openai/openai/gpt-oss-20b", "openai/gpt-oss-20b"),
        ("hosted_vllm/meta-llama/Llama-3.3-70B", "meta-llama/Llama-3.3-70B"),
        ("meta-llama/Llama-3.3-70B", "meta-llama/Llama-3.3-70B"),
        ("my-model", "my-model"),
        ("bedrock/some.model", "bedrock/some.model"),
    ],
)
async def test_with_a_base_url_any_name_goes_there(server: LocalModelServer, name: str, sent: str) -> None:
    await chat_model(name, api_base=server.url).complete(request())

    assert server.requests[-1]["model"] == sent


async def test_a_configuration_is_a_model_too(server: LocalModelServer) -> None:
    config = ModelConfig(model="openai/m", api_base=server.url, api_key="k-of-the-config")

    await chat_model(config).complete(request())

    assert server.received[-1].headers["authorization"] == "Bearer k-of-the-config"


def test_a_chat_model_stands_for_itself() -> None:
    class Mine:
        name = "mine"

        async def complete(self, request: ModelRequest) -> ModelReply:
            return ModelReply(text=str(len(request.messages)))

    mine = Mine()

    assert chat_model(mine) is mine
    assert isinstance(mine, ChatModel)


def test_offline_models_are_models() -> None:
    assert chat_model("offline/user").name == "offline/user"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://localhost:8000/v1", "http://localhost:8000/v1/chat/completions"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1/chat/completions"),
        ("http://localhost:8000/v1/chat/completions", "http://localhost:8000/v1/chat/completions"),
        ("https://gateway.example/a/b?tenant=7", "https://gateway.example/a/b/chat/completions?tenant=7"),
        ("https://user:secret@gateway.example/v1", "https://gateway.example/v1/chat/completions"),
    ],
)
def test_base_urls_are_taken_as_people_write_them(given: str, url: str) -> None:
    assert way_to("openai", api_base=given).url == url


@pytest.mark.parametrize(
    "given", ["localhost:8000", "ftp://x/v1", "http://", "http://a b/v1", "http://[::1", "nonsense"]
)
def test_a_base_url_that_is_none_is_an_error_at_once(given: str) -> None:
    with pytest.raises(ConfigurationError, match="api_base"):
        chat_model("openai/m", api_base=given)


def test_user_and_password_of_a_base_url_are_sent_and_not_shown() -> None:
    way = way_to("hosted_vllm", api_base="https://user:pass%40word@models.example/v1", api_key=None)

    assert way.headers["Authorization"] == "Basic dXNlcjpwYXNzQHdvcmQ="
    assert "pass" not in repr(way)


@pytest.mark.parametrize("variable", ["OPENAI_BASE_URL", "OPENAI_API_BASE"])
def test_the_environment_may_name_another_base_url(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "https://proxy.example/openai")

    assert way_to("openai").url == "https://proxy.example/openai/chat/completions"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:11434/v1/chat/completions"),
        ("0.0.0.0:9999", "http://127.0.0.1:9999/v1/chat/completions"),
        ("gpu.example:80", "http://gpu.example:80/v1/chat/completions"),
        ("[::1]:9999", "http://[::1]:9999/v1/chat/completions"),
        ("https://gpu.example", "https://gpu.example/v1/chat/completions"),
        ("https://gpu.example/ollama/v1", "https://gpu.example/ollama/v1/chat/completions"),
    ],
)
def test_the_host_of_ollama_is_completed(host: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", host)

    assert way_to("ollama", api_key=None).url == url


@pytest.mark.parametrize(
    ("base", "version", "url"),
    [
        (
            "https://r.openai.azure.com",
            "2024-10-21",
            "https://r.openai.azure.com/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21",
        ),
        ("https://r.openai.azure.com/", None, "https://r.openai.azure.com/openai/v1/chat/completions"),
        ("https://r.openai.azure.com/openai", None, "https://r.openai.azure.com/openai/v1/chat/completions"),
        ("https://r.openai.azure.com/openai/v1/", None, "https://r.openai.azure.com/openai/v1/chat/completions"),
        (
            "https://r.openai.azure.com/openai/v1",
            "preview",
            "https://r.openai.azure.com/openai/v1/chat/completions?api-version=preview",
        ),
        (
            "https://r.openai.azure.com/openai/deployments/other",
            "2024-10-21",
            "https://r.openai.azure.com/openai/deployments/other/chat/completions?api-version=2024-10-21",
        ),
    ],
)
def test_azure_is_addressed_by_deployment_or_by_version_one(base: str, version: str | None, url: str) -> None:
    way = way_to("azure", "my gpt", api_base=base, api_version=version)

    assert way.url == url
    assert way.headers["api-key"] == "a-key"
    assert "Authorization" not in way.headers


def test_azure_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com")
    monkeypatch.setenv("AZURE_API_VERSION", "2024-10-21")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "azure-key")

    way = way_to("azure", "gpt", api_key=None)

    assert way.url == "https://r.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
    assert way.headers["api-key"] == "azure-key"


def test_a_provider_without_any_address_says_how_to_give_one() -> None:
    with pytest.raises(ConfigurationError, match="AZURE_API_BASE"):
        way_to("azure")


async def test_azure_is_called_as_the_service_wants_it(server: LocalModelServer) -> None:
    model = chat_model(
        "azure/gpt", api_base=server.origin, api_key="k-azure", extra_params={"api_version": "2024-10-21"}
    )

    reply = await model.complete(request())

    assert reply.text == "hello there"
    assert server.received[-1].path == "/openai/deployments/gpt/chat/completions"
    assert server.received[-1].query == "api-version=2024-10-21"
    assert server.received[-1].headers["api-key"] == "k-azure"


async def test_a_provider_of_ones_own_can_be_registered(server: LocalModelServer) -> None:
    register_provider(Provider(prefix="my_gateway", base_url=server.url, key_variables=("MY_KEY",), needs_key=False))

    await chat_model("my_gateway/some/model").complete(request())

    assert server.requests[-1]["model"] == "some/model"


@pytest.mark.parametrize("prefix", ["", "a/b", "a b", "-x"])
def test_a_prefix_that_no_name_can_have_is_an_error(prefix: str) -> None:
    with pytest.raises(ConfigurationError):
        register_provider(Provider(prefix=prefix))


def test_a_key_with_a_line_break_is_an_error_that_does_not_show_it() -> None:
    with pytest.raises(ConfigurationError) as raised:
        way_to("openai", api_key="sk-secret\n")

    assert "sk-secret" not in str(raised.value)


def test_neither_key_nor_headers_are_in_any_repr() -> None:
    way = way_to("openai", api_key="sk-very-secret", extra_headers={"X-Token": "hush-hush"})
    model = chat_model("openai/m", api_key="sk-very-secret", extra_params={"extra_headers": {"X-Token": "hush-hush"}})

    for shown in (repr(way), repr(model), str(way), way.identity):
        assert "sk-very-secret" not in shown
        assert "hush-hush" not in shown
    assert way.redacted("so sk-very-secret and hush-hush") == "so *** and ***"


def test_headers_of_ones_own_win_over_ours_in_any_case() -> None:
    way = way_to("openai", api_key=None, extra_headers={"authorization": "Bearer mine"})

    assert [value for name, value in way.headers.items() if name.lower() == "authorization"] == ["Bearer mine"]


def test_the_organization_goes_to_openai_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")

    assert way_to("openai").headers["OpenAI-Organization"] == "org-1"
    assert "OpenAI-Organization" not in way_to("openai", api_base="https://elsewhere.example/v1").headers
    assert way_to("openai", organization="org-2").headers["OpenAI-Organization"] == "org-2"
