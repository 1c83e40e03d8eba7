"""Who has not yet heard what."""

from collections.abc import Sequence
from typing import Any

Message = dict[str, Any]


class Mailboxes:
    """One queue of unheard messages an agent. The messages are those of the history, not copies.

    Attributes:
        queues: The queues, keyed by agent index.
    """

    def __init__(self, agents: int) -> None:
        self.queues: dict[int, list[Message]] = {index: [] for index in range(agents)}

    def deliver(self, message: Message, author: int | None) -> None:
        """Put a message into every queue but its author's."""
        for index, queue in self.queues.items():
            if index != author:
                queue.append(message)

    def collect(self, index: int) -> list[Message]:
        """Empty an agent's queue and return what was in it."""
        heard = self.queues[index]
        self.queues[index] = []
        return heard

    def put_back(self, index: int, unheard: Sequence[Message]) -> None:
        """Return messages to the front of an agent's queue."""
        self.queues[index][:0] = unheard

    def retract(self, messages: Sequence[Message]) -> None:
        """Remove messages from all queues."""
        gone = {id(message) for message in messages}
        for queue in self.queues.values():
            queue[:] = [message for message in queue if id(message) not in gone]
