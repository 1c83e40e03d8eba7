"""The services that speak the OpenAI-compatible chat-completions API, and what is known of them.

Facts about a service or a family of models live here and nowhere else: the wire asks for a fact, never for a name.
Checked against the services' documentation and error messages in November 2026.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from scenario.errors import ConfigurationError, UnknownProviderError

ToolForcing = Literal["named", "required", "auto"]
"""The strongest way to make a model call a tool: this one, any one, or asking for it in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A service that speaks the OpenAI-compatible chat-completions API.

    Attributes:
        prefix: What a model's name starts with, before the first `/`.
        base_url: Where the API is, without `/chat/completions`; empty when only a variable or `api_base` can tell.
        key_variables: Environment variables that may hold the key; the first that is set counts.
        base_url_variables: Environment variables that may hold another base URL.
        needs_key: Whether a call without a key is refused before it is sent.
        key_header: Header that carries the key; `Authorization` carries it as a bearer token.
        header_variables: Further headers, each with the environment variables that may hold its value.
        path: Path of the API for base URLs that are given without one.
        addressing: Whether the model is named in the body alone, or by a deployment in the URL as well.
        token_limit: Name of the body's member that limits the tokens of an answer.
        renamed: Body members that go by another name here.
        refused: Body members that are not taken here.
        unnamed_speakers: Whether messages may not have a `name`.
        echoed: Members of an assistant message that must come back with it in later requests.
        echoed_in_calls: Members of its tool calls that must come back likewise.
        thinks_inline: Whether models may put their thoughts into the text, between `<think>` and `</think>`.
        reports_cost: Whether `usage.cost` of an answer is its price in US dollars.
        elsewhere: Prefix of the provider whose facts apply when `api_base` leads somewhere else.
    """

    prefix: str
    base_url: str = ""
    key_variables: tuple[str, ...] = ()
    base_url_variables: tuple[str, ...] = ()
    needs_key: bool = True
    key_header: str = "Authorization"
    header_variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    path: str = ""
    addressing: Literal["model", "deployment"] = "model"
    token_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    refused: frozenset[str] = frozenset()
    unnamed_speakers: bool = False
    echoed: frozenset[str] = frozenset()
    echoed_in_calls: frozenset[str] = frozenset()
    thinks_inline: bool = True
    reports_cost: bool = False
    elsewhere: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFamily:
    """Models whose names begin alike.

    Attributes:
        pattern: Matches the beginning of a model's name, without the provider.
        provider: Prefix of the provider that is meant when the name stands alone.
        refused: Body members that these models do not take from that provider.
        tool_forcing: The strongest way in which they can be made to call a tool.
    """

    pattern: re.Pattern[str]
    provider: str
    refused: frozenset[str] = frozenset()
    tool_forcing: ToolForcing = "named"


def _keys(name: str, *more: str) -> tuple[str, ...]:
    return (f"{name}_API_KEY", *more)


_BUILT_IN = (
    Provider(
        prefix="openai",
        base_url="https://api.openai.com/v1",
        key_variables=_keys("OPENAI"),
        base_url_variables=("OPENAI_BASE_URL", "OPENAI_API_BASE"),
        header_variables={
            "OpenAI-Organization": ("OPENAI_ORG_ID", "OPENAI_ORGANIZATION"),
            "OpenAI-Project": ("OPENAI_PROJECT_ID",),
        },
        token_limit="max_completion_tokens",
        thinks_inline=False,
        elsewhere="openai_like",
    ),
    Provider(prefix="openai_like", key_variables=_keys("OPENAI"), base_url_variables=("OPENAI_LIKE_API_BASE",)),
    Provider(
        prefix="azure",
        key_variables=_keys("AZURE", "AZURE_OPENAI_API_KEY"),
        base_url_variables=("AZURE_API_BASE", "AZURE_OPENAI_ENDPOINT"),
        key_header="api-key",
        addressing="deployment",
        token_limit="max_completion_tokens",
        thinks_inline=False,
    ),
    Provider(
        prefix="anthropic",
        base_url="https://api.anthropic.com/v1",
        key_variables=_keys("ANTHROPIC"),
        thinks_inline=False,
    ),
    Provider(
        prefix="gemini",
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        key_variables=_keys("GEMINI", "GOOGLE_API_KEY"),
        echoed_in_calls=frozenset({"extra_content"}),
        thinks_inline=False,
    ),
    Provider(prefix="groq", base_url="https://api.groq.com/openai/v1", key_variables=_keys("GROQ")),
    Provider(
        prefix="mistral",
        base_url="https://api.mistral.ai/v1",
        key_variables=_keys("MISTRAL"),
        renamed={"seed": "random_seed"},
        unnamed_speakers=True,
    ),
    Provider(
        prefix="deepseek",
        base_url="https://api.deepseek.com",
        key_variables=_keys("DEEPSEEK"),
        echoed=frozenset({"reasoning_content"}),
    ),
    Provider(prefix="xai", base_url="https://api.x.ai/v1", key_variables=_keys("XAI"), thinks_inline=False),
    Provider(
        prefix="openrouter",
        base_url="https://openrouter.ai/api/v1",
        key_variables=_keys("OPENROUTER"),
        echoed=frozenset({"reasoning_details"}),
        reports_cost=True,
    ),
    Provider(
        prefix="together_ai",
        base_url="https://api.together.ai/v1",
        key_variables=_keys("TOGETHER", "TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY"),
    ),
    Provider(
        prefix="fireworks_ai",
        base_url="https://api.fireworks.ai/inference/v1",
        key_variables=_keys("FIREWORKS", "FIREWORKS_AI_API_KEY"),
    ),
    Provider(prefix="cerebras", base_url="https://api.cerebras.ai/v1", key_variables=_keys("CEREBRAS")),
    Provider(
        prefix="perplexity",
        base_url="https://api.perplexity.ai",
        key_variables=_keys("PERPLEXITY", "PERPLEXITYAI_API_KEY"),
    ),
    Provider(
        prefix="cohere",
        base_url="https://api.cohere.ai/compatibility/v1",
        key_variables=_keys("COHERE", "CO_API_KEY"),
        thinks_inline=False,
    ),
    Provider(
        prefix="nvidia_nim",
        base_url="https://integrate.api.nvidia.com/v1",
        key_variables=_keys("NVIDIA_NIM", "NVIDIA_API_KEY"),
        base_url_variables=("NVIDIA_NIM_API_BASE",),
    ),
    Provider(
        prefix="moonshot",
        base_url="https://api.moonshot.ai/v1",
        key_variables=_keys("MOONSHOT"),
        base_url_variables=("MOONSHOT_API_BASE",),
        echoed=frozenset({"reasoning_content"}),
    ),
    Provider(
        prefix="dashscope",
        base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        key_variables=_keys("DASHSCOPE"),
        base_url_variables=("DASHSCOPE_API_BASE",),
    ),
    Provider(prefix="zai", base_url="https://api.z.ai/api/paas/v4", key_variables=_keys("ZAI")),
    Provider(prefix="deepinfra", base_url="https://api.deepinfra.com/v1/openai", key_variables=_keys("DEEPINFRA")),
    Provider(prefix="sambanova", base_url="https://api.sambanova.ai/v1", key_variables=_keys("SAMBANOVA")),
    Provider(prefix="nebius", base_url="https://api.studio.nebius.ai/v1", key_variables=_keys("NEBIUS")),
    Provider(prefix="hyperbolic", base_url="https://api.hyperbolic.xyz/v1", key_variables=_keys("HYPERBOLIC")),
    Provider(
        prefix="vercel_ai_gateway",
        base_url="https://ai-gateway.vercel.sh/v1",
        key_variables=_keys("VERCEL_AI_GATEWAY", "AI_GATEWAY_API_KEY"),
    ),
    Provider(
        prefix="litellm_proxy",
        key_variables=_keys("LITELLM_PROXY"),
        base_url_variables=("LITELLM_PROXY_API_BASE",),
    ),
    Provider(
        prefix="ollama",
        base_url="http://localhost:11434/v1",
        key_variables=_keys("OLLAMA"),
        base_url_variables=("OLLAMA_API_BASE", "OLLAMA_HOST"),
        needs_key=False,
        path="/v1",
    ),
    Provider(
        prefix="hosted_vllm",
        base_url="http://localhost:8000/v1",
        key_variables=_keys("HOSTED_VLLM"),
        base_url_variables=("HOSTED_VLLM_API_BASE",),
        needs_key=False,
        path="/v1",
    ),
    Provider(
        prefix="lm_studio",
        base_url="http://localhost:1234/v1",
        key_variables=_keys("LM_STUDIO"),
        base_url_variables=("LM_STUDIO_API_BASE",),
        needs_key=False,
        path="/v1",
    ),
    Provider(
        prefix="llamafile",
        base_url="http://localhost:8080/v1",
        key_variables=_keys("LLAMAFILE"),
        base_url_variables=("LLAMAFILE_API_BASE",),
        needs_key=False,
        path="/v1",
    ),
)

_OTHER_NAMES = {
    "azure_openai": "azure",
    "cohere_chat": "cohere",
    "custom_openai": "openai_like",
    "fireworks": "fireworks_ai",
    "google": "gemini",
    "grok": "xai",
    "kimi": "moonshot",
    "llama_cpp": "llamafile",
    "lmstudio": "lm_studio",
    "nvidia": "nvidia_nim",
    "ollama_chat": "ollama",
    "together": "together_ai",
    "vllm": "hosted_vllm",
}

SERVED_BY_LITELLM = frozenset(
    {
        "ai21",
        "azure_ai",
        "azure_text",
        "baseten",
        "bedrock",
        "bedrock_converse",
        "clarifai",
        "cloudflare",
        "codestral",
        "databricks",
        "friendliai",
        "gigachat",
        "github",
        "github_copilot",
        "huggingface",
        "litellm",
        "nlp_cloud",
        "novita",
        "oci",
        "petals",
        "predibase",
        "replicate",
        "sagemaker",
        "sagemaker_chat",
        "sap",
        "snowflake",
        "triton",
        "vertex_ai",
        "vertex_ai_beta",
        "volcengine",
        "watsonx",
    }
)
"""Prefixes of providers that only the `litellm` extra can reach."""

_SAMPLING = frozenset({"temperature", "top_p", "top_k"})


def _family(
    pattern: str, provider: str, refused: frozenset[str] = frozenset(), tool_forcing: ToolForcing = "named"
) -> ModelFamily:
    return ModelFamily(pattern=re.compile(pattern), provider=provider, refused=refused, tool_forcing=tool_forcing)


FAMILIES = (
    # The first that matches counts, so the narrower stand before the wider.
    _family(r"o[134](-|$)", "openai", _SAMPLING | {"presence_penalty", "frequency_penalty"}),
    _family(
        r"gpt-5(-mini|-nano)?(-\d{4}-\d\d-\d\d)?$",
        "openai",
        _SAMPLING | {"presence_penalty", "frequency_penalty"},
    ),
    _family(r"(gpt-|chatgpt-|ft:gpt-)", "openai"),
    _family(r"claude-fable-5-1", "anthropic", _SAMPLING, tool_forcing="auto"),
    _family(r"claude-(opus-4-[789]|(opus|sonnet|haiku|fable|mythos)-5)", "anthropic", _SAMPLING),
    _family(r"claude-", "anthropic"),
    _family(r"gemini-", "gemini"),
    _family(r"(mistral|ministral|magistral|codestral|devstral|pixtral|voxtral|open-mi[sx]tral)-", "mistral"),
    _family(r"deepseek-", "deepseek"),
    _family(r"grok-", "xai"),
    _family(r"(command-|c4ai-)", "cohere"),
    _family(r"sonar(-|$)", "perplexity"),
    _family(r"(kimi|moonshot)-", "moonshot"),
    _family(r"qwen-", "dashscope"),
    _family(r"glm-", "zai"),
)

_NO_FAMILY = _family(r"", "")

_known: dict[str, Provider] = {provider.prefix: provider for provider in _BUILT_IN}
_known |= {other: _known[prefix] for other, prefix in _OTHER_NAMES.items()}


def register_provider(provider: Provider) -> None:
    """Make a provider known to this process under its prefix, in place of one that has it.

    Raises:
        ConfigurationError: If the prefix cannot begin a model's name.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", provider.prefix):
        raise ConfigurationError(
            f"{provider.prefix!r} cannot be the prefix of a provider",
            "use letters, digits, `_`, `-` and `.` only",
        )
    _known[provider.prefix] = provider


def provider_named(prefix: str) -> Provider | None:
    """Return the provider with that prefix, or None."""
    return _known.get(prefix)


def provider_prefixes() -> list[str]:
    """Return all prefixes that are known, in alphabetical order."""
    return sorted(_known)


@lru_cache(maxsize=256)
def family_of(model: str) -> ModelFamily:
    """Return the family of a model's name without the provider; one without facts when there is none."""
    return next((family for family in FAMILIES if family.pattern.match(model)), _NO_FAMILY)


def unknown_provider(name: str) -> UnknownProviderError:
    """Return the error that says that no provider answers to the model's name, and guesses what was meant."""
    prefix, slash, model = name.partition("/")
    if slash:
        near = difflib.get_close_matches(prefix.lower(), [*_known, *SERVED_BY_LITELLM, "offline"], n=1)
        guess = f"did you mean {near[0]}/{model}? " if near else ""
        what = f"no provider is known as {prefix!r} (model {name!r})"
    else:
        near = difflib.get_close_matches(name.lower(), _EXAMPLES, n=1, cutoff=0.7)
        guess = f"did you mean {near[0]}? " if near else ""
        what = f"the model name {name!r} does not say which provider serves it"
    return UnknownProviderError(
        what,
        f"{guess}write it as provider/model, with one of {', '.join(provider_prefixes())}; "
        "or give the URL of an OpenAI-compatible server as `api_base`; "
        'or, for the providers of LiteLLM, pip install "agent-scenario[litellm]" and write litellm/provider/model',
    )


_EXAMPLES = (
    "openai/gpt-4.1",
    "openai/gpt-4.1-mini",
    "openai/gpt-4o",
    "openai/gpt-5-mini",
    "openai/o3-mini",
    "anthropic/claude-sonnet-5",
    "anthropic/claude-opus-5",
    "gemini/gemini-2.5-flash",
    "gemini/gemini-2.5-pro",
    "mistral/mistral-large-latest",
    "deepseek/deepseek-chat",
    "xai/grok-4",
    "gpt-4.1",
    "gpt-4.1-mini",
    "gpt-4o-mini",
    "gpt-5-mini",
    "claude-sonnet-5",
    "gemini-2.5-flash",
    "mistral-small-latest",
    "deepseek-chat",
)
