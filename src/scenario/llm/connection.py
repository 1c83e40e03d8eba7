"""Where requests to a model go, with which headers, by which way."""

import base64
import hashlib
import ipaddress
import os
import re
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from scenario.errors import ConfigurationError, MissingKeyError
from scenario.llm.model_settings import ModelSettings
from scenario.llm.permission import is_loopback
from scenario.llm.providers import Provider
from scenario.version import __version__

_ENDPOINT = "/chat/completions"
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}
_API_VERSION_VARIABLES = ("AZURE_API_VERSION", "OPENAI_API_VERSION")
_SECRET_HEADER = re.compile(r"authorization|key|token|secret|cookie", re.IGNORECASE)
_LEAST_SECRET = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A proxy that requests go through.

    Attributes:
        url: Its URL, without user and password.
        headers: Headers for the proxy itself.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """The way to a model's service.

    Attributes:
        url: Where requests are posted.
        base_url: Base URL of the service, for messages and as part of its identity.
        host: Name or address of the service.
        headers: Headers of each request.
        proxy: Proxy that requests go through, or None.
        ca_bundle: What certificates are checked against.
        identity: Tells services and keys apart without holding the key.
        secrets: Texts that must not be shown.
    """

    url: str
    base_url: str
    host: str
    headers: Mapping[str, str] = field(repr=False)
    proxy: Proxy | None = None
    ca_bundle: "CaBundle"
    identity: str
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def is_encrypted(self) -> bool:
        """Whether a part of the way is encrypted."""
        return self.url.startswith("https:") or (self.proxy is not None and self.proxy.url.startswith("https:"))

    def redacted(self, text: str) -> str:
        """Return a text without the connection's secrets."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


@dataclass(frozen=True, slots=True)
class CaBundle:
    """Certificate authorities to trust; those of the system when both are None.

    Attributes:
        file: File of certificates, or a directory of them.
        directory: Directory of certificates.
    """

    file: str | None = None
    directory: str | None = None


def connection_to(
    provider: Provider, model: str, *, api_base: str | None, api_key: str | None, settings: ModelSettings, name: str
) -> Connection:
    """Return the way to a model, from what was given and from the environment.

    Args:
        provider: Who serves the model.
        model: Name of the model at the provider.
        api_base: Base URL that was given, or None.
        api_key: Key that was given, or None.
        settings: How requests are made.
        name: Name of the model as the agent names it, for errors.

    Raises:
        MissingKeyError: If the service needs a key and there is none.
        ConfigurationError: If there is no base URL, or one that cannot be used.
    """
    base = _base_url(provider, api_base, name)
    host = base.hostname or ""
    key = api_key or first_set(provider.key_variables)
    token = settings.azure_ad_token or (first_set(("AZURE_AD_TOKEN",)) if provider.addressing == "deployment" else None)
    if not key and not token and provider.needs_key and not is_loopback(host) and not _carry_key(settings.headers):
        raise _missing_key(provider, name, host)
    url = _request_url(provider, base, model, settings)
    credentials = _credentials(provider, key, token, base, name)
    own = {name.lower() for name in settings.headers}
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": f"agent-scenario/{__version__}",
        **credentials,
        **_organization(provider, settings, at_home=not api_base),
    }
    headers = {name: value for name, value in headers.items() if name.lower() not in own} | dict(settings.headers)
    proxy = proxy_for(base.scheme, host)
    if proxy is not None and base.scheme == "http":
        headers |= proxy.headers  # without a tunnel the proxy reads the request's own headers
    secrets = [value for header, value in headers.items() if _SECRET_HEADER.search(header)]
    secrets += [key or "", token or "", base.password or ""]
    shown = urllib.parse.urlunsplit((base.scheme, _without_user(base), base.path, "", ""))
    return Connection(
        url=url,
        base_url=shown,
        host=host,
        headers=headers,
        proxy=proxy,
        ca_bundle=ca_bundle(),
        identity=f"{base.scheme}://{_without_user(base)} {_fingerprint(key or token or '')}",
        secrets=tuple(sorted({text for text in secrets if len(text) >= _LEAST_SECRET}, key=len, reverse=True)),
    )


def proxy_for(scheme: str, host: str) -> Proxy | None:
    """Return the proxy that the environment names for a host, or None.

    Raises:
        ConfigurationError: If it is of a kind that cannot be used.
    """
    if is_loopback(host):
        return None
    proxies = urllib.request.getproxies()
    url = proxies.get(scheme) or proxies.get("all")
    if not url or urllib.request.proxy_bypass(host):
        return None
    parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(
            f"the proxy {parts.scheme}://{_without_user(parts)} of the environment cannot be used for models",
            f"set {scheme.upper()}_PROXY to an http:// proxy, or list {host} in NO_PROXY",
        )
    headers: dict[str, str] = {}
    if parts.username:
        user, password = urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or "")
        headers["Proxy-Authorization"] = _basic(user, password)
    return Proxy(url=f"{parts.scheme}://{_without_user(parts)}", headers=headers)


def ca_bundle() -> CaBundle:
    """Return the certificate authorities that the environment names."""
    given = first_set(("REQUESTS_CA_BUNDLE",))
    return CaBundle(given) if given else CaBundle(first_set(("SSL_CERT_FILE",)), first_set(("SSL_CERT_DIR",)))


def first_set(variables: tuple[str, ...]) -> str | None:
    """Return the value of the first environment variable that is set to something, or None."""
    for variable in variables:
        value = os.environ.get(variable, "").strip()
        if value:
            return value
    return None


def checked_base_url(url: str) -> str:
    """Return a base URL as given, if it can be one.

    Raises:
        ConfigurationError: If it cannot.
    """
    _split(url, "`api_base`")
    return url


def _base_url(provider: Provider, api_base: str | None, name: str) -> urllib.parse.SplitResult:
    source = "`api_base`"
    url = api_base
    if not url:
        for variable in provider.base_url_variables:
            if value := first_set((variable,)):
                url, source = _with_scheme(value, provider), variable
                break
    if not url:
        url = provider.base_url
    if not url:
        raise ConfigurationError(
            f"it is not known where {name} is served",
            f"give `api_base`, or set {' or '.join(provider.base_url_variables) or 'a base URL for the provider'}",
        )
    parts = _split(url, source)
    path = re.sub(rf"{_ENDPOINT}/?$", "", parts.path).rstrip("/")
    if provider.addressing == "deployment":
        path = path.removesuffix("/openai")
    path = path or provider.path
    return parts._replace(path=path, fragment="")


@lru_cache(maxsize=256)
def _split(url: str, source: str) -> urllib.parse.SplitResult:
    try:
        parts = urllib.parse.urlsplit(url.strip())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
        parts = urllib.parse.SplitResult("", "", "", "", "")
    if not usable or re.search(r"\s", url.strip()):
        shown = re.sub(r"//[^/@]*@", "//***@", url)
        raise ConfigurationError(
            f"{source} is {shown!r}, which is not the URL of an HTTP service",
            "give something like http://localhost:8000/v1",
        )
    return parts


def _with_scheme(value: str, provider: Provider) -> str:
    """Complete what a variable such as OLLAMA_HOST leaves out, from the provider's own base URL."""
    if "://" in value:
        return value
    own = urllib.parse.urlsplit(provider.base_url)
    parts = urllib.parse.urlsplit(f"//{value}")
    host = _ANY_ADDRESS.get(parts.hostname or "", parts.hostname or own.hostname or "")
    try:
        is_ipv6 = ipaddress.ip_address(host).version == 6
    except ValueError:
        is_ipv6 = False
    port = parts.port or own.port
    return f"{own.scheme or 'http'}://{f'[{host}]' if is_ipv6 else host}{f':{port}' if port else ''}{parts.path}"


def _request_url(provider: Provider, base: urllib.parse.SplitResult, model: str, settings: ModelSettings) -> str:
    path, query = base.path, base.query
    if provider.addressing == "deployment":
        version = settings.api_version
        if "/openai/" not in f"{path}/":
            version = version or first_set(_API_VERSION_VARIABLES)
            deployment = urllib.parse.quote(model, safe="")
            path += f"/openai/deployments/{deployment}" if version and version != "v1" else "/openai/v1"
        elif "/deployments/" in path:
            version = version or first_set(_API_VERSION_VARIABLES)
        if version and "api-version=" not in query and ("/deployments/" in path or settings.api_version):
            query = f"{query}&api-version={version}".lstrip("&")
    elif settings.api_version and "api-version=" not in query:
        query = f"{query}&api-version={settings.api_version}".lstrip("&")
    return urllib.parse.urlunsplit((base.scheme, _without_user(base), path + _ENDPOINT, query, ""))


def _credentials(
    provider: Provider, key: str | None, token: str | None, base: urllib.parse.SplitResult, name: str
) -> dict[str, str]:
    if key and re.search(r"[^\x21-\x7e]", key):
        raise ConfigurationError(
            f"the API key for {name} holds blanks or characters that a key cannot have",
            "copy the key again; look for line breaks or quotes around it",
        )
    if token:
        return {"Authorization": f"Bearer {token}"}
    if key:
        return {provider.key_header: f"Bearer {key}" if provider.key_header == "Authorization" else key}
    if base.username:
        user, password = urllib.parse.unquote(base.username), urllib.parse.unquote(base.password or "")
        return {"Authorization": _basic(user, password)}
    return {}


def _carry_key(headers: Mapping[str, str]) -> bool:
    return any(_SECRET_HEADER.search(name) for name in headers)


def _organization(provider: Provider, settings: ModelSettings, *, at_home: bool) -> dict[str, str]:
    headers: dict[str, str] = {}
    if at_home:
        values = {header: first_set(variables) for header, variables in provider.header_variables.items()}
        headers = {header: value for header, value in values.items() if value}
    if settings.organization:
        headers["OpenAI-Organization"] = settings.organization
    return headers


def _missing_key(provider: Provider, name: str, host: str) -> MissingKeyError:
    variables = " or ".join(provider.key_variables)
    return MissingKeyError(
        f"there is no API key for {name} ({host})",
        f"set {variables or 'the variable of the provider'}, or give `api_key`"
        + ("" if provider.base_url else ' (api_key="none" for a server that wants none)'),
    )


def _fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:12]


def _without_user(parts: urllib.parse.SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
