"""Who may still speak in the current turn, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass

from scenario.agent_adapter import AgentAdapter
from scenario.types import AgentRole

ROLE_ORDER = (AgentRole.USER, AgentRole.AGENT, AgentRole.JUDGE)


@dataclass(frozen=True, slots=True)
class Place:
    """A claimed place in the turn.

    Attributes:
        index: The agent that holds it; None when no agent plays the role and only a script can fill it.
    """

    index: int | None


class TurnOrder:
    """One pass over the roles user, agent, judge; several agents of a role speak in declared order.

    An agent listed twice speaks once. A role that no agent plays still has one place a turn, which only scripted
    content can take.
    """

    def __init__(self, agents: Sequence[AgentAdapter]) -> None:
        self._agents = agents
        self.pending_roles: list[AgentRole] = []
        self._pending_agents: list[int] = []
        self._unplayed_roles: set[AgentRole] = set()

    def open(self) -> None:
        """Begin a turn: everybody may speak again."""
        self.pending_roles = list(ROLE_ORDER)
        self._pending_agents = [
            index
            for index, agent in enumerate(self._agents)
            if not any(agent is earlier for earlier in self._agents[:index])
        ]
        self._unplayed_roles = set(ROLE_ORDER).difference(agent.role for agent in self._agents)

    def next(self) -> int | None:
        """Take the next agent of the turn, or return None when everybody has spoken."""
        while self.pending_roles:
            index = self._take(self.pending_roles[0])
            if index is not None:
                return index
            del self.pending_roles[0]
        return None

    def claim(self, role: AgentRole) -> Place | None:
        """Take the next place of `role`, skipping the roles before it.

        Returns:
            The place, or None when this turn has none left.
        """
        while self.pending_roles and self.pending_roles[0] is not role:
            del self.pending_roles[0]
        if not self.pending_roles:
            return None
        index = self._take(role)
        if index is not None:
            return Place(index)
        if role in self._unplayed_roles:
            self._unplayed_roles.remove(role)
            return Place(None)
        return None

    def first(self, role: AgentRole) -> int | None:
        """Return the first agent that plays `role`, whether or not it has spoken."""
        return next((index for index, agent in enumerate(self._agents) if agent.role is role), None)

    def _take(self, role: AgentRole) -> int | None:
        for position, index in enumerate(self._pending_agents):
            if self._agents[index].role is role:
                del self._pending_agents[position]
                return index
        return None
