"""Who is at work in the runs that are shown, as a status for a terminal."""

from collections import Counter
from collections.abc import Mapping

from scenario.events.screen_lines import Line, Piece, Style, line
from scenario.events.status_line import Status
from scenario.types import AgentRole

_LABELS: Mapping[AgentRole, tuple[str, Style]] = {
    AgentRole.USER: ("User:", "user"),
    AgentRole.AGENT: ("Agent:", "agent"),
    AgentRole.JUDGE: ("Judging...", "scenario"),
}


class Activity:
    """The calls of agents that are under way."""

    def __init__(self) -> None:
        self._by_run: dict[str, list[AgentRole]] = {}

    def begin(self, run_id: str, role: AgentRole) -> None:
        """Note that a call has begun."""
        self._by_run.setdefault(run_id, []).append(role)

    def end(self, run_id: str, role: AgentRole) -> None:
        """Note that a call has ended."""
        roles = self._by_run.get(run_id, [])
        if role in roles:
            roles.remove(role)
        if not roles:
            self._by_run.pop(run_id, None)

    def forget(self, run_id: str) -> None:
        """Forget the calls of a run that is over."""
        self._by_run.pop(run_id, None)

    def clear(self) -> None:
        """Forget all calls."""
        self._by_run.clear()

    @property
    def only_run(self) -> str | None:
        """The run in which somebody is at work, if there is exactly one."""
        return next(iter(self._by_run)) if len(self._by_run) == 1 else None

    def status(self, runs: int, prefix: Line) -> Status | None:
        """Return what to show of it, None if nobody is at work.

        Args:
            runs: How many runs go on; several are summed up.
            prefix: What to put before the activity of the only one.
        """
        if not self._by_run:
            return None
        runs = max(runs, len(self._by_run))
        if runs > 1:
            return Status(line=line(f"{runs} runs: ", *self._counted()))
        (roles,) = self._by_run.values()
        label, style = _LABELS[roles[-1]]
        return Status(line=prefix + line(Piece(label, style)), is_timed=True)

    def _counted(self) -> list[Piece]:
        counts = Counter(role for roles in self._by_run.values() for role in roles)
        pieces: list[Piece] = []
        for role, (_, style) in _LABELS.items():
            if count := counts[role]:
                pieces += [Piece(", ")] if pieces else []
                pieces.append(Piece(f"{count} {role.value.lower()}{'s' if count > 1 else ''}", style))
        return pieces
