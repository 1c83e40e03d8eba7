"""The conversation so far, and who has heard it."""

from collections.abc import Mapping, Sequence
from typing import Any

from scenario.engine.event_log import EventLog
from scenario.engine.mailboxes import Mailboxes, Message
from scenario.errors import ConfigurationError
from scenario.run_events import AgentDescription, MessageAdded, MessagesRemoved
from scenario.scenario_state import ScenarioState


class History:
    """Adds messages to the conversation and takes them back."""

    def __init__(self, state: ScenarioState, agents: Sequence[AgentDescription], events: EventLog) -> None:
        self._agents = agents
        self._events = events
        # The list that callers see through the state; both always show the same conversation.
        self.messages: list[Message] = state.messages  # type: ignore[assignment]  # same dicts, looser type
        self.mailboxes = Mailboxes(len(agents))
        self.trace_id = ""

    def add(self, message: Mapping[str, Any], author: int | None = None) -> Message:
        """Add a copy of a message, marked with the current trace, and deliver it to everybody but its author."""
        entry: Message = {**message, "trace_id": self.trace_id}
        index = len(self.messages)
        self.messages.append(entry)
        self.mailboxes.deliver(entry, author)
        self._events.emit(
            MessageAdded(
                stamp=self._events.stamp(),
                index=index,
                message=dict(entry),
                author=None if author is None else self._agents[author],
            )
        )
        return entry

    def rollback(self, index: int) -> list[Message]:
        """Remove the messages from `index` on, from the queues too, and return them.

        Raises:
            ConfigurationError: If `index` is negative.
        """
        if index < 0:
            raise ConfigurationError(
                f"index must be >= 0, got {index}", "give the index of the first message to remove"
            )
        removed = self.messages[index:]
        del self.messages[index:]
        self.mailboxes.retract(removed)
        if removed:
            self._events.emit(MessagesRemoved(stamp=self._events.stamp(), index=index, count=len(removed)))
        return removed

    def put_back(self, index: int, unheard: Sequence[Message]) -> None:
        """Let agent `index` hear messages again, as far as they are still part of the conversation."""
        present = {id(message) for message in self.messages}
        self.mailboxes.put_back(index, [message for message in unheard if id(message) in present])
