"""Ways in which a simulated user stops being one, recognised without a model.

A detector that is wrong spoils a good line, so each knows only phrases and repetitions that a person in the user's
place hardly produces, and none of them when the scenario itself brings the phrase up.
"""

import re
from collections.abc import Sequence
from enum import StrEnum


class SimulatorFault(StrEnum):
    """What is wrong with a line of a simulated user.

    Attributes:
        EMPTY_TURN: It says nothing.
        LEAKED_REASONING: It talks about how to play the user.
        ROLE_FLIP: It is the agent's: it offers help, or presents itself as an assistant.
        REPEATED_OPENING: It is the user's first line again.
    """

    EMPTY_TURN = "empty turn"
    LEAKED_REASONING = "leaked reasoning"
    ROLE_FLIP = "role flip"
    REPEATED_OPENING = "repeated opening"


CORRECTIONS = {
    SimulatorFault.EMPTY_TURN: "Your first attempt was empty. Write the person's next message.",
    SimulatorFault.LEAKED_REASONING: (
        "Your first attempt contained thoughts about how to play the person. Write the message itself, in the person's "
        "own words, and nothing about it."
    ),
    SimulatorFault.ROLE_FLIP: (
        "Your first attempt was something the agent would say. You are the person who wants something from the agent: "
        "write what that person says next."
    ),
    SimulatorFault.REPEATED_OPENING: (
        "Your first attempt repeated how the person opened the conversation. The agent has answered since: react to "
        "its last message and bring the matter forward."
    ),
}
"""What a model is told when its line had the fault."""

_USER = r"(?:the|a|this)\ (?:(?:simulated|human|real)\ )?user"
_INTEND = r"(?:(?:need|have|ought)\ to|should|must|will|['\u2019]ll|['\u2019]m\ (?:supposed|going|meant)\ to)"
_REASONING = re.compile(
    rf"""
      \b(?:i|we)\ ?{_INTEND}\ (?:now\ )?(?:act|respond|reply|write|pretend|play|speak|continue)\b
        [^.\n]{{0,30}}\ (?:as|like|for|to\ be)\ {_USER}\b
    | \bas\ {_USER},?\ (?:i|we)\ ?(?:{_INTEND}|would)\ (?:now\ |probably\ |likely\ )?
        (?:say|ask|reply|respond|write|answer|react)\b
    | \A(?:(?:okay|ok|so|well|alright|hmm)[,.]?\ )?the\ (?:user|assistant|persona)\b
        .{{0,400}}?[.!?\n]\s*(?:so,?\ |now,?\ )?i\ ?{_INTEND}\ (?:now\ )?
        (?:respond|reply|say|write|act|play|react|keep)\b
    | \b(?:my|the)\ persona\ (?:says|would\ say|calls\ for|requires)\b
    | \bi\ ?{_INTEND}\ (?:stay|remain|keep)\ in\ character\b
    | \b(?:per|according\ to)\ (?:my|the)\ (?:scenario|persona)\b
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_ASSISTANT = re.compile(
    r"""
      \bhow\ (?:can|may)\ i\ (?:help|assist)\ you(?:\ (?:today|further|with\ that))?\s*[?!.]
    | \bis\ there\ anything\ else\ (?:that\ )?i\ can\ (?:help|assist)\ (?:you\ )?with\b
    | \b(?:i['\u2019]m|i\ am)\ (?:just\ |only\ )?an?\ ai\ (?:language\ model|assistant|model)\b
    | \bas\ an\ ai(?:\ (?:language\ model|assistant|model))?,?\ i\b
    | \bi['\u2019]d\ be\ happy\ to\ (?:help|assist)(?:\ you)?\ with\ (?:that|your)\b
    | \A(?:\*\*|__)?(?:assistant|agent)(?:\*\*|__)?:\s
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NOT_A_WORD = re.compile(r"[\W_]+")
# Shorter openings, such as "hi" or "no", may well come again.
_SHORTEST_OPENING = 12
_TWICE = 2


def fault_in(line: str, *, earlier: Sequence[str] = (), brief: str = "") -> SimulatorFault | None:
    """Return what is wrong with a line, or None.

    Args:
        line: What the simulated user is about to say.
        earlier: What it said before, in order; the agent has answered since.
        brief: Scenario and persona; a phrase that stands in there is no fault, nor is an opening that stands there
            twice.
    """
    if not line.strip():
        return SimulatorFault.EMPTY_TURN
    if _found(_REASONING, line, brief):
        return SimulatorFault.LEAKED_REASONING
    if _found(_ASSISTANT, line, brief):
        return SimulatorFault.ROLE_FLIP
    if earlier:
        opening = _folded(earlier[0])
        is_repeated = len(opening) >= _SHORTEST_OPENING and _folded(line) == opening
        if is_repeated and _folded(brief).count(opening) < _TWICE:
            return SimulatorFault.REPEATED_OPENING
    return None


def _found(pattern: re.Pattern[str], line: str, brief: str) -> bool:
    found = pattern.search(line)
    return found is not None and _folded(found[0]) not in _folded(brief)


def _folded(text: str) -> str:
    return _NOT_A_WORD.sub(" ", text.casefold()).strip()
