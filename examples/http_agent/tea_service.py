"""The agent under test: a service with OpenAI's chat-completions API, as a deployed agent may have it.

A real one would ask a chat model; rules stand in for the model here. It keeps what it knows of each conversation, which
callers name in the field `user`.
"""

import time
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

_TEAS = {"assam": 7, "darjeeling": 0, "rooibos": 12}


class TeaService:
    """Answers POST /v1/chat/completions for callers who have the key."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.baskets: defaultdict[str, list[str]] = defaultdict(list)

    async def complete(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"error": {"message": "wrong key", "code": "invalid_api_key"}}, status=401)
        asked: dict[str, Any] = await request.json()
        text = self._answer(asked["user"], asked["messages"][-1]["content"])
        return web.json_response(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": int(time.time()),
                "model": asked["model"],
                "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 40, "completion_tokens": 12, "total_tokens": 52},
            }
        )

    def _answer(self, customer: str, question: str) -> str:
        words = question.lower()
        basket = self.baskets[customer]
        if "basket" in words:
            return f"Your basket holds {' and '.join(basket)}." if basket else "Your basket is empty."
        tea = next((name for name in _TEAS if name in words), None)
        if tea is None:
            return "We sell Assam, Darjeeling and Rooibos. Which would you like?"
        if not _TEAS[tea]:
            return f"I'm sorry, {tea.title()} is sold out."
        basket.append(tea.title())
        return f"{tea.title()} is in your basket."


@asynccontextmanager
async def serving(service: TeaService) -> AsyncGenerator[str]:
    """Run the service on a free port of this machine; gives the base URL of its API."""
    app = web.Application()
    app.router.add_post("/v1/chat/completions", service.complete)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/v1"
    finally:
        await runner.cleanup()
