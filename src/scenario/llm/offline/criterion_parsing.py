"""Reads a criterion's words as a rule, if they say no more than a rule can decide."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from scenario.llm.offline.criterion_rules import CallsRule, MatchesRule, Rule, SaysRule, Speaker

_MAX_PATTERN = 300
_ONE_CHARACTER = re.compile(r"\\.|\[\^?\]?[^\]]*\]", re.DOTALL)
_INNERMOST_GROUP = re.compile(r"\((?:\?(?:[:=!>]|<[=!]|P?<\w+>))?([^()]*)\)(?P<repeated>[+*]|\{\d*,\d*\})?")
_AMBIGUOUS = re.compile(r"[+*|]|\{\d*,")
_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE, "u": re.NOFLAG, "g": re.NOFLAG}

_QUOTED = re.compile(
    r"""
    "(?P<straight>[^"]+)" | [“„](?P<curly>[^“”„]+)[“”] | «\s*(?P<angle>[^»]+?)\s*» | 「(?P<corner>[^」]+)」
    | `(?P<code>[^`]+)` | \u2018(?P<single_curly>[^\u2018\u2019]+)\u2019(?!\w) | (?<!\w)'(?P<single>[^']+)'(?!\w)
    """,
    re.VERBOSE,
)
_SLASHED = re.compile(r"(?<![\w/])/(?P<pattern>(?:\\.|[^/\\\n])+)/(?P<flags>[a-z]*)(?![\w/])")

_Q = "\ue000\\d+\ue001"
_AGENT = r"(?:agent|assistant|bot|chatbot|ai|model|system)"
_USER = r"(?:user|customer|caller|client|human|person)"
_REPLY = r"(?:repl(?:y|ies)|answers?|responses?|messages?|outputs?)"
_SUBJECT = (
    rf"(?:(?:(?:the|our|an?) )?(?:(?P<user>(?:simulated )?{_USER})|{_AGENT}|it)(?:(?:'s|\u2019s) {_REPLY})? "
    rf"|(?:the|its|an?|any|one) {_REPLY} )?"
)
_NOT = r"(?:n't|n\u2019t| not)"
_AUXILIARY = r"(?:does|do|did|should|must|shall|will|would|may|can|could|is|are|was)"
_NEVER = (
    rf"(?:(?P<never>(?:{_AUXILIARY}{_NOT}|cannot|can't|won't|shan't)(?: ever)? (?:be )?"
    r"|(?:(?:should|must|shall|will|may|can) )?never |at no point |avoids? |refrains? from )"
    r"|(?:should|must|shall|will|has to|have to|needs? to|is expected to|is supposed to|does|did)"
    r"(?: (?:also|at some point))? )?"
)
_SAY = (
    r"(?:say(?:s|ing)?|said|stat(?:e|es|ed|ing)|mention(?:s|ed|ing)?|contain(?:s|ed|ing)?|includ(?:e|es|ed|ing)"
    r"|ask(?:s|ed|ing)?|writes?|writing|wrote|repeat(?:s|ed|ing)?|answer(?:s|ed|ing)?(?: with)?"
    r"|repl(?:y|ies|ied|ying)(?: with)?|respond(?:s|ed|ing)?(?: with)?|us(?:e|es|ed|ing)(?= the (?:word|phrase|term))"
    rf"|(?:tell(?:s|ing)?|told|greet(?:s|ed|ing)?)(?: (?:the {_USER}|the {_AGENT}|them|us))?(?: with)?)"
)
_THE_WORDS = r"(?: the)?(?: (?:exact )?(?:words?|phrases?|texts?|sentences?|terms?|strings?|names?))?(?: of)?"
_TEXTS = rf"(?P<texts>(?:both |either |any of |all of )?{_Q}(?:(?:,| or| and| nor|, or|, and) {_Q})*)"
_MATCH = r"(?:match(?:es|ed|ing)?)"
_SAY_MATCH = (
    rf"(?:(?:{_SAY}|sends?|sending|sent|gives?|giving|gave) (?:something|anything|a {_REPLY}|text)(?: that)? )?{_MATCH}"
)
_CALL = r"(?:call(?:s|ed|ing)?|invok(?:e|es|ed|ing)|(?P<loosely>us(?:e|es|ed|ing)|run(?:s|ning)?|ran))"
_TOOL_WORD = r"(?:tools?|functions?)"
_TOOL = (
    rf"(?:(?:(?:the|its|an?) )?(?:tool|function)(?: named| called)?"
    rf" (?P<after>{_Q}|[\w.-]+)(?:\(\))?"
    rf"|(?:the |its |an? )?(?P<before>{_Q}|[\w.-]+)(?:\(\))? {_TOOL_WORD}"
    rf"|(?:the )?(?P<quoted>{_Q})(?:\(\))?|(?P<function>[\w.-]+)\(\))"
)
_ANY_TOOL = rf"(?:an?|any|some)(?: of (?:its|the))? {_TOOL_WORD}"
_TAIL = (
    r"(?: (?:at least once|at some point|at any point|at any time|anywhere|ever|in|during|throughout|to)"
    rf"(?: (?:the|its|any|an?|one of its) (?:whole |entire )?(?:conversation|chat|call|{_USER}|{_AGENT}|{_REPLY}))?)*"
)

_SAYS = re.compile(rf"{_SUBJECT}{_NEVER}{_SAY}{_THE_WORDS} {_TEXTS}{_TAIL}", re.IGNORECASE)
_MATCHES = re.compile(
    rf"{_SUBJECT}{_NEVER}(?:{_SAY_MATCH}(?: the)?(?: (?:regex|regexp|pattern|regular expression))?|{_SAY}) "
    rf"(?P<pattern>{_Q}){_TAIL}",
    re.IGNORECASE,
)
_CALLS = re.compile(
    rf"{_SUBJECT}{_NEVER}{_CALL} (?:(?P<any>{_ANY_TOOL})|(?P<none>no {_TOOL_WORD})|{_TOOL}){_TAIL}"
    rf"(?: with (?P<arguments>.+?))?{_TAIL}",
    re.IGNORECASE,
)
_IS_CALLED = re.compile(
    rf"{_TOOL} (?:is|are|was|were|must|should)(?P<never> never|{_NOT})?(?: be)? (?:called|used|invoked){_TAIL}"
    rf"(?: with (?P<arguments>.+?))?{_TAIL}",
    re.IGNORECASE,
)
_ADVERB = re.compile(
    r"again|after|all|always|at|before|by|either|ever|first|for|from|here|if|in|instead|it|last|later|more|never|next|now"
    r"|of|often|on|once|only|or|right|so|soon|that|then|there|to|too|twice|until|when|while|with|wrong|\w+ly",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"[_\d.]|[a-z][A-Z]")
_ARGUMENT = re.compile(
    r"(?P<name>[\w.-]+)(?:\s*[=:]\s*|\s+(?:set to|equal to|of|as)\s+)"
    rf"(?P<value>\"[^\"]*\"|{_Q}|-?\d+(?:\.\d+)?|true|false|null|[\w.@-]+)(?:\s*,\s*(?:and\s+)?|\s+and\s+|\s*$)"
)
_ARGUMENT_TEXTS = re.compile(
    rf"(?:the |an? )?(?:(?:argument|value|text|word|input)s? )?(?P<texts>{_Q}(?:(?:,| and|, and) {_Q})*)"
)


@dataclass(frozen=True, slots=True)
class _Literal:
    text: str
    original: str
    flags: str | None = None


@lru_cache(maxsize=1024)
def rule_for(criterion: str) -> Rule | None:
    """Return the rule that a criterion states, or None when it says something that no rule can decide."""
    literals: list[_Literal] = []
    words = " ".join(_without_literals(criterion, literals).split()).rstrip(" .!;")
    return _says_rule(words, literals) or _matches_rule(words, literals) or _calls_rule(words, literals)


def _without_literals(criterion: str, literals: list[_Literal]) -> str:
    def kept(literal: _Literal) -> str:
        literals.append(literal)
        return f"\ue000{len(literals) - 1}\ue001"

    def quoted(found: re.Match[str]) -> str:
        return kept(_Literal(next(text for text in found.groups() if text is not None), found[0]))

    def slashed(found: re.Match[str]) -> str:
        return kept(_Literal(found["pattern"], found[0], found["flags"]))

    first_quote = _QUOTED.search(criterion)
    first_slash = _SLASHED.search(criterion)
    if first_slash and (first_quote is None or first_slash.start() < first_quote.start()):
        criterion = _SLASHED.sub(slashed, criterion, count=1)
    return _QUOTED.sub(quoted, criterion)


def _says_rule(words: str, literals: Sequence[_Literal]) -> Rule | None:
    found = _SAYS.fullmatch(words)
    if found is None:
        return None
    named = _literals_in(found["texts"], literals)
    if any(literal.flags is not None for literal in named):
        return None
    joined = found["texts"].lower()
    if " and " in joined and (" or " in joined or " nor " in joined):
        return None
    forbidden = found["never"] is not None
    # What must not be said must not be said in part either.
    all_of = not forbidden and " or " not in joined and "either" not in joined and "any of" not in joined
    return SaysRule(
        speaker=_speaker(found), texts=[literal.text for literal in named], all_of=all_of, forbidden=forbidden
    )


def _matches_rule(words: str, literals: Sequence[_Literal]) -> Rule | None:
    found = _MATCHES.fullmatch(words)
    if found is None:
        return None
    (literal,) = _literals_in(found["pattern"], literals)
    if len(literal.text) > _MAX_PATTERN or _may_take_forever(literal.text):
        return None
    flags = re.NOFLAG
    for letter in literal.flags or "":
        if letter not in _FLAGS:
            return None
        flags |= _FLAGS[letter]
    try:
        pattern = re.compile(literal.text.replace(r"\/", "/"), flags)
    except re.error:
        return None
    return MatchesRule(speaker=_speaker(found), pattern=pattern, forbidden=found["never"] is not None)


def _may_take_forever(pattern: str) -> bool:
    """Whether a group that is repeated can itself match in several ways: then few characters take very long."""
    rest = _ONE_CHARACTER.sub("a", pattern)
    while group := _INNERMOST_GROUP.search(rest):
        if group["repeated"] and _AMBIGUOUS.search(group[1]):
            return True
        rest = f"{rest[: group.start()]}{group[1]}{'a+' if group['repeated'] else ''}{rest[group.end() :]}"
    return False


def _calls_rule(words: str, literals: Sequence[_Literal]) -> Rule | None:
    found = _CALLS.fullmatch(words)
    if found is not None:
        if found["user"] or (found["loosely"] and found["quoted"] and not _is_code(found["quoted"], literals)):
            return None
        anything = found["any"] is not None or found["none"] is not None
        forbidden = (found["never"] is not None) != (found["none"] is not None)
    else:
        found = _IS_CALLED.fullmatch(words)
        if found is None:
            return None
        anything, forbidden = False, found["never"] is not None
    tool = None if anything else _tool_name(found, literals)
    if tool is None and not anything:
        return None
    values, texts = {}, []
    if found["arguments"] is not None:
        understood = _arguments(found["arguments"], literals)
        if understood is None:
            return None
        values, texts = understood.values, understood.texts
    return CallsRule(tool=tool, values=values, texts=texts, forbidden=forbidden)


@dataclass(frozen=True, slots=True)
class _Arguments:
    values: dict[str, Any]
    texts: list[str]


def _arguments(words: str, literals: Sequence[_Literal]) -> _Arguments | None:
    original = re.sub(_Q, lambda found: literals[int(found[0][1:-1])].original, words)
    if original.startswith("{"):
        try:
            return _Arguments(json.loads(original), [])
        except ValueError:
            return None
    texts = _ARGUMENT_TEXTS.fullmatch(words)
    if texts is not None:
        return _Arguments({}, [literal.text for literal in _literals_in(texts["texts"], literals)])
    values: dict[str, Any] = {}
    at = 0
    words = re.sub(r"^the ", "", words)
    while at < len(words):
        found = _ARGUMENT.match(words, at)
        if found is None:
            return None
        values[found["name"]] = _value(found["value"], literals)
        at = found.end()
    return _Arguments(values, []) if values else None


def _value(shown: str, literals: Sequence[_Literal]) -> Any:
    if shown.startswith("\ue000"):
        return _literals_in(shown, literals)[0].text
    try:
        return json.loads(shown)
    except ValueError:
        return shown


def _is_code(words: str, literals: Sequence[_Literal]) -> bool:
    return all(literal.original.startswith("`") for literal in _literals_in(words, literals))


def _tool_name(found: re.Match[str], literals: Sequence[_Literal]) -> str | None:
    name = found["after"] or found["before"] or found["quoted"] or found["function"]
    if name.startswith("\ue000"):
        return _literals_in(name, literals)[0].text.removesuffix("()")
    # `calls the right tool` and `calls the tool first` name no tool; `calls the tool search` does.
    is_surely_a_name = found["function"] is not None or _IDENTIFIER.search(name) is not None
    may_be_a_name = found["after"] is not None and _ADVERB.fullmatch(name) is None
    return name if is_surely_a_name or may_be_a_name else None


def _literals_in(words: str, literals: Sequence[_Literal]) -> list[_Literal]:
    return [literals[int(number[1:-1])] for number in re.findall(_Q, words)]


def _speaker(found: re.Match[str]) -> Speaker:
    return "user" if found["user"] else "assistant"
