"""Requests through a proxy, and certificates of an authority of one's own: both as the environment says."""

import asyncio
import base64
import ssl
import subprocess
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from calling import request

from scenario.errors import ConfigurationError, ModelConnectionError
from scenario.llm import chat_model
from scenario.llm.connection import ca_bundle, proxy_for
from scenario.testing import LocalModelServer

_VARIABLES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
)
_HOST = "models.test"


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def _joined(one: tuple[asyncio.StreamReader, asyncio.StreamWriter], port: int, head: bytes = b"") -> None:
    """Hand on what comes from one side to a port of this machine, and what comes back."""
    reader, writer = one
    up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        up_writer.write(head)
        await asyncio.gather(_copied(reader, up_writer), _copied(up_reader, writer), return_exceptions=True)
    finally:
        for side in (writer, up_writer):
            side.transport.abort()


@dataclass
class Proxy:
    """A proxy that leads every host to one port of this machine; it tunnels, and passes plain requests on."""

    target: int
    url: str = ""
    lines: list[str] = field(default_factory=list[str])
    authorizations: list[str] = field(default_factory=list[str])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.lines.append(lines[0])
        self.authorizations += [line for line in lines if line.lower().startswith("proxy-authorization:")]
        passed_on = b""
        if lines[0].startswith("CONNECT"):
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            method, url, version = lines[0].split(" ")
            path = "/" + url.split("/", 3)[3]
            passed_on = "\r\n".join([f"{method} {path} {version}", *lines[1:]]).encode()
        await _joined((reader, writer), self.target, passed_on)


@asynccontextmanager
async def proxy_to(port: int) -> AsyncGenerator[Proxy]:
    proxy = Proxy(target=port)
    async with asyncio.TaskGroup() as connections:
        tasks: list[asyncio.Task[None]] = []

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.append(connections.create_task(proxy.serve(reader, writer)))

        listener = await asyncio.start_server(accept, "127.0.0.1", 0)
        proxy.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        try:
            yield proxy
        finally:
            listener.close()
            for task in tasks:
                task.cancel()


@asynccontextmanager
async def encrypted(server: LocalModelServer, certificate: Path, key: Path) -> AsyncGenerator[int]:
    """Put TLS before a server; yields the port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    port = int(server.origin.rpartition(":")[2])
    async with asyncio.TaskGroup() as connections:
        tasks: list[asyncio.Task[None]] = []

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.append(connections.create_task(_joined((reader, writer), port)))

        listener = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
        try:
            yield listener.sockets[0].getsockname()[1]
        finally:
            listener.close()
            for task in tasks:
                task.cancel()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """An authority and a certificate for `models.test` and this machine, made with openssl."""
    folder = tmp_path_factory.mktemp("certificates")
    names = folder / "names"
    names.write_text(f"subjectAltName=DNS:{_HOST},IP:127.0.0.1,DNS:localhost\n")
    subject = ("-subj", "/CN=test authority", "-addext", "basicConstraints=critical,CA:TRUE")
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    commands = [
        ("req", "-x509", "-days", "2", *new_key, *subject, "-keyout", "ca.key", "-out", "ca.pem"),
        ("req", *new_key, "-subj", f"/CN={_HOST}", "-keyout", "server.key", "-out", "server.csr"),
        ("x509", "-req", "-days", "2", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
         "-extfile", "names", "-out", "server.pem"),
    ]  # fmt: skip
    for command in commands:
        subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True, timeout=20)
    return lambda name: folder / name


def port_of(server: LocalModelServer) -> int:
    return int(server.origin.rpartition(":")[2])


async def test_plain_requests_go_through_the_proxy_of_the_environment(
    server: LocalModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxy_to(port_of(server)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("://", "://me:pass%40word@"))
        model = chat_model("openai/m", api_base=f"http://{_HOST}/v1", api_key="k")

        reply = await model.complete(request())

        assert reply.text == "hello there"
        assert proxy.lines == [f"POST http://{_HOST}/v1/chat/completions HTTP/1.1"]
        (authorization,) = proxy.authorizations
        assert base64.b64decode(authorization.split()[-1]) == b"me:pass@word"


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
async def test_encrypted_requests_tunnel_through_it_and_trust_the_environments_authority(
    server: LocalModelServer, authority: Callable[[str], Path], variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(authority("ca.pem")))
    async with (
        encrypted(server, authority("server.pem"), authority("server.key")) as port,
        proxy_to(port) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        model = chat_model("openai/m", api_base=f"https://{_HOST}/v1", api_key="k")

        reply = await model.complete(request())

        assert reply.text == "hello there"
        assert proxy.lines == [f"CONNECT {_HOST}:443 HTTP/1.1"]
        assert server.received[-1].headers["authorization"] == "Bearer k"


async def test_a_certificate_of_an_unknown_authority_is_not_trusted(
    server: LocalModelServer, authority: Callable[[str], Path]
) -> None:
    async with encrypted(server, authority("server.pem"), authority("server.key")) as port:
        model = chat_model("openai/m", api_base=f"https://127.0.0.1:{port}/v1")

        with pytest.raises(ModelConnectionError, match="not trusted") as raised:
            await model.complete(request())

        assert "SSL_CERT_FILE" in raised.value.fix
        assert server.calls == 0


async def test_certificates_that_cannot_be_read_are_an_error_that_names_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))

    with pytest.raises(ConfigurationError, match=r"missing\.pem") as raised:
        await chat_model("openai/m", api_base="https://127.0.0.1:9/v1").complete(request())

    assert "SSL_CERT_FILE" in raised.value.fix


async def test_a_proxy_that_is_down_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:secret@127.0.0.1:9")
    model = chat_model("openai/m", api_base=f"http://{_HOST}/v1", api_key="k", extra_params={"num_retries": 0})

    with pytest.raises(ModelConnectionError, match=r"through the proxy http://127\.0\.0\.1:9") as raised:
        await model.complete(request())

    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "listed.example", "sub.listed.example"])
def test_this_machine_and_listed_hosts_need_no_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "listed.example")

    assert proxy_for("https", host) is None
    assert proxy_for("https", "other.example") is not None


def test_a_kind_of_proxy_that_cannot_be_used_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy.example:1080")

    with pytest.raises(ConfigurationError, match="socks5"):
        proxy_for("https", "models.example")


def test_a_proxy_without_a_scheme_is_an_http_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")

    proxy = proxy_for("https", "models.example")

    assert proxy is not None
    assert proxy.url == "http://proxy.example:3128"


def test_the_bundle_of_requests_wins_over_that_of_openssl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/a.pem")
    monkeypatch.setenv("SSL_CERT_DIR", "/certs")

    assert (ca_bundle().file, ca_bundle().directory) == ("/a.pem", "/certs")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/b.pem")
    assert (ca_bundle().file, ca_bundle().directory) == ("/b.pem", None)
