"""On simulated time, sockets reach only what is served by the same loop."""

import asyncio
import socket
import time
from pathlib import Path

import aiohttp
import openai
import pytest
from aiohttp import web
from openai.types.chat import ChatCompletionMessageParam

from scenario.errors import ConfigurationError
from scenario.testing import LocalModelServer, on_simulated_time, run_simulated

HI: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]


async def echo_slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        await asyncio.sleep(1)
        writer.write(data)
    writer.close()


async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rounds: int = 20) -> None:
    for number in range(rounds):
        writer.write(b"%d" % number)
        assert await reader.read(100) == b"%d" % number
    writer.close()
    await writer.wait_closed()


def now() -> float:
    return asyncio.get_running_loop().time()


@on_simulated_time
async def test_a_server_of_the_loop_can_be_reached() -> None:
    async with await asyncio.start_server(echo_slowly, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            await talk(*await asyncio.open_connection(host, port, family=socket.AF_INET))

    assert now() == 40


@on_simulated_time
async def test_a_server_on_all_addresses_can_be_reached() -> None:
    async with await asyncio.start_server(echo_slowly, "0.0.0.0", 0) as server:
        await talk(*await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1]))


def test_a_unix_socket_of_the_loop_can_be_reached(tmp_path: Path) -> None:
    async def over_a_unix_socket() -> None:
        path = str(tmp_path / "line")
        async with await asyncio.start_unix_server(echo_slowly, path):
            await talk(*await asyncio.open_unix_connection(path))
        with pytest.raises(ConfigurationError):
            await asyncio.open_unix_connection(str(tmp_path / "other"))

    run_simulated(over_a_unix_socket())


@on_simulated_time
async def test_large_messages_arrive_before_time_moves() -> None:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received = len(await reader.readexactly(5_000_000))
        writer.write(b"%d at %d" % (received, now()))
        writer.close()

    async with await asyncio.start_server(swallow, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        async with asyncio.timeout(1):
            writer.write(b"x" * 5_000_000)
            assert await reader.read() == b"5000000 at 0"
        writer.close()


@on_simulated_time
async def test_a_server_that_is_gone_refuses_as_it_really_does() -> None:
    async with await asyncio.start_server(echo_slowly, "127.0.0.1", 0) as server:
        address = server.sockets[0].getsockname()

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)


@on_simulated_time
async def test_raw_sockets_of_the_loop_can_be_used() -> None:
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as calling:
        listening.setblocking(False)
        calling.setblocking(False)
        accepting = asyncio.ensure_future(loop.sock_accept(listening))
        await asyncio.sleep(0)
        await loop.sock_connect(calling, listening.getsockname())
        accepted, _ = await accepting
        with accepted:
            await loop.sock_sendall(calling, b"hello")
            assert await loop.sock_recv(accepted, 100) == b"hello"


@pytest.mark.blocks("connects the ordinary way, as an agent might")
@on_simulated_time
async def test_a_socket_of_another_loop_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        loop = asyncio.get_running_loop()
        with pytest.raises(ConfigurationError, match=f"a connection to 127.0.0.1:{address[1]}"):
            await asyncio.open_connection(*address)
        with socket.create_connection(address) as connected:
            connected.setblocking(False)
            with pytest.raises(ConfigurationError, match="a socket connected to"):
                await asyncio.open_connection(sock=connected)
            with pytest.raises(ConfigurationError):
                loop.add_reader(connected, print)
            with pytest.raises(ConfigurationError):
                loop.add_writer(connected.fileno(), print)
        accepted, _ = listening.accept()
        with accepted, pytest.raises(ConfigurationError):
            await loop.connect_accepted_socket(asyncio.Protocol, accepted)


@on_simulated_time
async def test_other_machines_are_refused_before_their_name_is_looked_up() -> None:
    started = time.monotonic()

    with pytest.raises(ConfigurationError, match=r"a connection to api\.example\.com"):
        await asyncio.open_connection("api.example.com", 443)
    with pytest.raises(ConfigurationError):
        await asyncio.get_running_loop().getaddrinfo("api.example.com", 443)

    assert time.monotonic() - started < 1


@on_simulated_time
async def test_child_processes_and_pipes_are_refused() -> None:
    loop = asyncio.get_running_loop()

    with pytest.raises(ConfigurationError, match="a child process"):
        await asyncio.create_subprocess_exec("true")
    with pytest.raises(ConfigurationError, match="a child process"):
        await asyncio.create_subprocess_shell("true")
    with pytest.raises(ConfigurationError, match="a pipe"):
        await loop.connect_read_pipe(asyncio.Protocol, None)
    with pytest.raises(ConfigurationError, match="a pipe"):
        await loop.connect_write_pipe(asyncio.BaseProtocol, None)


class Inbox(asyncio.DatagramProtocol):
    """Collects datagrams."""

    def __init__(self) -> None:
        self.received = asyncio.Queue[bytes]()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.received.put_nowait(data)


@on_simulated_time
async def test_datagrams_reach_others_of_the_loop_only() -> None:
    loop = asyncio.get_running_loop()
    here, inbox = await loop.create_datagram_endpoint(Inbox, local_addr=("127.0.0.1", 0))
    there, _ = await loop.create_datagram_endpoint(Inbox, remote_addr=here.get_extra_info("sockname"))
    free, _ = await loop.create_datagram_endpoint(Inbox, local_addr=("127.0.0.1", 0))

    there.sendto(b"one")
    free.sendto(b"two", here.get_extra_info("sockname"))

    assert {await inbox.received.get(), await inbox.received.get()} == {b"one", b"two"}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        with pytest.raises(ConfigurationError):
            free.sendto(b"three", stranger.getsockname())
        with pytest.raises(ConfigurationError):
            await loop.create_datagram_endpoint(Inbox, remote_addr=stranger.getsockname())
    for end in (here, there, free):
        end.close()


@pytest.mark.blocks("the client reads certificates when it is made")
@on_simulated_time
async def test_a_model_server_on_the_loop_has_simulated_latency() -> None:
    async with (
        LocalModelServer("hello", latency=30, own_thread=False) as server,
        openai.AsyncOpenAI(base_url=server.url, api_key="none", timeout=60) as client,
    ):
        answer = await client.chat.completions.create(model="x", messages=HI)

    assert answer.choices[0].message.content == "hello"
    assert now() == 30


@on_simulated_time
async def test_a_model_server_with_a_thread_of_its_own_is_refused() -> None:
    async with LocalModelServer("hello") as server:
        with pytest.raises(ConfigurationError, match="own_thread=False"):
            await asyncio.open_connection(*server.origin.removeprefix("http://").split(":"))


@on_simulated_time
async def test_frames_of_a_websocket_arrive_when_they_are_sent() -> None:
    async def stream(request: web.Request) -> web.WebSocketResponse:
        line = web.WebSocketResponse()
        await line.prepare(request)
        for _ in range(100):
            await line.send_bytes(b"x" * 640)
            await asyncio.sleep(0.02)
        await line.close()
        return line

    app = web.Application()
    app.router.add_get("/", stream)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    arrived: list[float] = []
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{runner.addresses[0][1]}/") as line,
    ):
        started = now()
        arrived.extend([now() - started async for _ in line])
    await runner.cleanup()

    assert arrived == pytest.approx([0.02 * number for number in range(100)])
