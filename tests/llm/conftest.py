"""A local model server, and a memory that holds nothing of former tests."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from scenario.llm.concessions import CONCESSIONS
from scenario.testing import LocalModelServer

# A busy machine makes an example slow now and then, and that says nothing about the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def _nothing_learned() -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]
    CONCESSIONS.forget()
    yield
    CONCESSIONS.forget()


@pytest.fixture
def server() -> Iterator[LocalModelServer]:
    with LocalModelServer("hello there") as running:
        yield running
