"""What a function's code says about it: a hash of it, the names it uses, and what it keeps for itself."""

import dis
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from types import CodeType
from weakref import WeakKeyDictionary

from scenario.caching.canonical import CanonicalWriter

_VARIABLE_LOADS = frozenset({"LOAD_DEREF", "LOAD_GLOBAL", "LOAD_NAME"})
_ATTRIBUTE_LOADS = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_VARIABLE_STORES = frozenset({"STORE_DEREF", "STORE_GLOBAL", "STORE_NAME", "DELETE_DEREF", "DELETE_GLOBAL"})
_ATTRIBUTE_STORES = frozenset({"STORE_ATTR", "DELETE_ATTR"})
_ADDING = frozenset({"add", "append", "appendleft", "clear", "extend", "insert", "update"})

_facts: "WeakKeyDictionary[CodeType, CodeFacts]" = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFacts:
    """What the code of a function says about it, that of functions inside of it included.

    Attributes:
        digest: Hash of the code; line numbers and file do not count.
        globals: Names that are looked up in the module, sorted.
        global_chains: Names that are looked up in the module with the attributes asked for right after, sorted.
        attributes: Names of attributes it mentions, of whatever object.
        kept_variables: Variables of outer scopes that it keeps for itself: it sets them or items of them, or does
            nothing with them but add to them and count what is in them.
        kept_attributes: Attributes, of whatever object, that it keeps for itself in the same way.
    """

    digest: bytes
    globals: tuple[str, ...]
    global_chains: tuple[tuple[str, ...], ...]
    attributes: frozenset[str]
    kept_variables: frozenset[str]
    kept_attributes: frozenset[str]


def facts_of(code: CodeType) -> CodeFacts:
    """Return what a code object says."""
    facts = _facts.get(code)
    if facts is None:
        facts = _facts[code] = _read(code)
    return facts


def _read(code: CodeType) -> CodeFacts:
    writer = CanonicalWriter({CodeType: _write_code})
    writer.write(code)
    reading = _Reading()
    reading.read(code)
    return CodeFacts(
        digest=writer.digest(),
        globals=tuple(sorted(reading.globals)),
        global_chains=tuple(sorted(reading.global_chains)),
        attributes=frozenset(reading.attribute_loads),
        kept_variables=frozenset(reading.set_variables | _only_added_to(reading.variable_loads, reading.variable_adds)),
        kept_attributes=frozenset(
            reading.set_attributes | _only_added_to(reading.attribute_loads, reading.attribute_adds)
        ),
    )


def _write_code(writer: CanonicalWriter, code: CodeType) -> None:
    writer.write_tagged(
        "code",
        code.co_name,
        code.co_code,
        code.co_consts,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        code.co_argcount,
        code.co_posonlyargcount,
        code.co_kwonlyargcount,
        code.co_flags,
    )


def _only_added_to(loads: Counter[str], adds: Counter[str]) -> set[str]:
    return {name for name, times in adds.items() if loads[name] == times}


class _Reading:
    """Goes through instructions and notes which names are looked up, set, and added to."""

    def __init__(self) -> None:
        self.globals: set[str] = set()
        self.global_chains: set[tuple[str, ...]] = set()
        self.variable_loads: Counter[str] = Counter()
        self.variable_adds: Counter[str] = Counter()
        self.attribute_loads: Counter[str] = Counter()
        self.attribute_adds: Counter[str] = Counter()
        self.set_variables: set[str] = set()
        self.set_attributes: set[str] = set()

    def read(self, code: CodeType) -> None:
        own = {*code.co_cellvars}
        steps = [step for step in dis.get_instructions(code) if step.opname not in {"EXTENDED_ARG", "CACHE", "NOP"}]
        for position, step in enumerate(steps):
            name = step.argval
            if step.opname in _VARIABLE_STORES and name not in own:
                self.set_variables.add(name)
            elif step.opname in _ATTRIBUTE_STORES:
                self.set_attributes.add(name)
            elif step.opname in _VARIABLE_LOADS:
                if step.opname != "LOAD_DEREF":
                    self.globals.add(name)
                    self._note_chain(steps, position)
                self._note_load(steps, position, self.variable_loads, self.variable_adds, self.set_variables)
            elif step.opname in _ATTRIBUTE_LOADS:
                self._note_load(steps, position, self.attribute_loads, self.attribute_adds, self.set_attributes)
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self.read(constant)

    def _note_chain(self, steps: Sequence[dis.Instruction], position: int) -> None:
        last = position + 1
        while last < len(steps) and steps[last].opname in _ATTRIBUTE_LOADS:
            last += 1
        if last > position + 1:
            self.global_chains.add(tuple(step.argval for step in steps[position:last]))

    @staticmethod
    def _note_load(
        steps: Sequence[dis.Instruction],
        position: int,
        loads: Counter[str],
        adds: Counter[str],
        kept: set[str],
    ) -> None:
        name = steps[position].argval
        loads[name] += 1
        following = steps[position + 1 : position + 3]
        after, second = (*(step.opname for step in following), "", "")[:2]
        if second in {"COPY", "STORE_SUBSCR"} and after.startswith("LOAD_"):
            kept.add(name)  # `name[key] += …` and `name[key] = …`
        elif (after in _ATTRIBUTE_LOADS and following[0].argval in _ADDING) or _is_counted(steps, position):
            adds[name] += 1


def _is_counted(steps: Sequence[dis.Instruction], position: int) -> bool:
    """Tell whether the value loaded at a position is the argument of `len`."""
    first = position
    while first > 0 and steps[first].opname in _ATTRIBUTE_LOADS:
        first -= 1  # to the object whose attribute it is
    before = [step for step in steps[max(0, first - 2) : first] if step.opname != "PUSH_NULL"]
    return bool(before) and before[-1].opname == "LOAD_GLOBAL" and before[-1].argval == "len"
