"""The canonical form: equal values are written alike, different values are not."""

import datetime
import functools
import logging
import subprocess
import sys
import threading
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, IntFlag, StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, PrivateAttr, SecretStr

from scenario.caching.canonical import NotCanonical
from scenario.caching.run_values import key_writer


def digest(value: Any) -> bytes:
    writer = key_writer()
    writer.write(value)
    return writer.digest()


class Colour(Enum):
    RED = 1
    BLUE = 2


class Size(StrEnum):
    RED = "red"


class Right(IntFlag):
    READ = 1
    WRITE = 2


class Point(NamedTuple):
    x: int
    y: int


@dataclass
class Order:
    id: str
    lines: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class FrozenOrder:
    id: str


class Customer(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str
    orders: list[int] = []
    _seen: int = PrivateAttr(default=0)

    def see(self) -> "Customer":
        self._seen += 1
        return self


class Shop:
    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._log = logging.getLogger("shop")

    @functools.cached_property
    def sign(self) -> str:
        return self.name.upper()


class Word(str):
    pass


# A busy machine makes an example slow now and then, and that says nothing about the code.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.binary(max_size=20)
    | st.sampled_from(Colour)
    | st.builds(FrozenOrder, st.text(max_size=5))
    | st.dates()
)
hashables = st.recursive(leaves, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=6)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(hashables, inner, max_size=4)
        | st.sets(hashables, max_size=4)
        | st.builds(Order, st.text(max_size=5), st.lists(st.text(max_size=5), max_size=3))
    ),
    max_leaves=12,
)


def spelled(value: Any) -> str:
    """A text that tells values apart as the cache has to: by type as well, but not by the order of sets and dicts."""
    kind = type(value).__name__
    if isinstance(value, dict):
        return f"{kind}({sorted((spelled(key), spelled(item)) for key, item in value.items())})"  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, set | frozenset):
        return f"{kind}({sorted(map(spelled, value))})"  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, list | tuple):
        return f"{kind}({[spelled(item) for item in value]})"  # pyright: ignore[reportUnknownVariableType]
    return f"{kind}({value!r})"


def backwards(value: Any) -> Any:
    """The same value, its dictionaries and sets filled in the other order."""
    if isinstance(value, dict):
        return {key: backwards(item) for key, item in reversed(value.items())}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, set):
        other = set[Any]()
        for item in reversed([*value]):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            other.add(item)
        return other
    if isinstance(value, list):
        return [backwards(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


@patient
@given(values)
def test_equal_values_have_equal_forms(value: Any) -> None:
    assert digest(value) == digest(backwards(value))


@patient
@given(values, values)
def test_different_values_have_different_forms(one: Any, other: Any) -> None:
    assert (digest(one) == digest(other)) == (spelled(one) == spelled(other))


@patient
@given(st.lists(st.text(max_size=3), max_size=3), st.lists(st.text(max_size=3), max_size=3))
def test_what_is_written_one_after_the_other_does_not_run_together(one: list[str], other: list[str]) -> None:
    first, second = key_writer(), key_writer()
    for text in one:
        first.write(text)
    for text in other:
        second.write(text)

    assert (first.digest() == second.digest()) == (one == other)


DIFFERENT: list[tuple[Any, Any]] = [
    (1, True),
    (1, 1.0),
    (0, False),
    ("1", 1),
    ("", None),
    ("a", b"a"),
    ("a", Word("a")),
    ([1], (1,)),
    ({1}, frozenset({1})),
    ({"a": 1}, [("a", 1)]),
    (Colour.RED, Colour.BLUE),
    (Colour.RED, 1),
    (Size.RED, "red"),
    (Right.READ, Right.READ | Right.WRITE),
    (Point(1, 2), (1, 2)),
    (Point(1, 2), Point(2, 1)),
    (Path("a"), "a"),
    (Decimal("1.0"), Decimal("1")),
    (datetime.timedelta(1), datetime.timedelta(2)),
    (Order("1", ["a"]), Order("1", ["b"])),
    (Customer(name="a"), Customer(name="b")),
    (Customer(name="a"), Customer.model_validate({"name": "a", "age": 3})),
    (Customer(name="a"), Customer(name="a").see()),
    (SecretStr("a"), SecretStr("b")),
    (Shop("a"), Shop("b")),
    (deque([1], maxlen=2), deque([1], maxlen=3)),
    (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)),
    (functools.partial(print, 1), functools.partial(print, 2)),
    (range(3), range(4)),
    (len, repr),
    (Order, Customer),
    (lambda: 1, lambda: 2),
    (ValueError("a"), ValueError("b")),
    (ValueError("a"), TypeError("a")),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_things_have_different_forms(one: Any, other: Any) -> None:
    assert digest(one) != digest(other)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Shop("a"),
        lambda: Customer(name="a", orders=[1]),
        lambda: Order("1"),
        lambda: defaultdict(list, {"a": [1], "b": [2]}),
        lambda: {"a": 1, "b": {"x", "y"}},
        lambda: object(),
        lambda: Path("/a/b"),
        lambda: ValueError("a"),
        lambda: functools.partial(print, sep=""),
        lambda: Shop("a").__init__,
        lambda: [Order, Colour.RED, len, threading, "a".join],
    ],
)
def test_what_is_made_twice_has_one_form(make: Callable[[], Any]) -> None:
    if isinstance(made := make(), list):
        made.pop()  # a method of a text is no value
    again = make()
    if isinstance(again, list):
        again.pop()

    assert digest(made) == digest(again)


def test_what_is_derived_does_not_count() -> None:
    asked, fresh = Shop("a"), Shop("a")
    assert asked.sign == "A"

    assert digest(asked) == digest(fresh)


def test_a_loop_of_references_ends() -> None:
    def ring(name: str) -> list[Any]:
        made: list[Any] = [name]
        made.append({"back": made})
        return made

    assert digest(ring("a")) == digest(ring("a"))
    assert digest(ring("a")) != digest(ring("b"))


@pytest.mark.parametrize(
    ("value", "kind", "way"),
    [
        (iter([1]), "list_iterator", ""),
        ({"a": [1, (x for x in [1])]}, "generator", "['a'][1]"),
        (Customer.model_construct(name=iter("a")), "str_ascii_iterator", ".name"),
        ("a".join, "builtin_function_or_method", ""),
        (sys.stdout, "", ""),
    ],
)
def test_what_cannot_be_compared_is_named(value: Any, kind: str, way: str) -> None:
    with pytest.raises(NotCanonical) as caught:
        digest(value)

    assert kind in caught.value.kind
    assert caught.value.way == way


def test_a_very_deep_value_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(NotCanonical) as caught:
        digest(deep)

    assert caught.value.way == "[0]" * 10 + "…"


def test_a_class_counts_by_its_fields() -> None:
    def with_fields(**fields: Any) -> type:
        return type("Answer", (BaseModel,), {"__annotations__": fields, "__module__": __name__})

    assert digest(with_fields(text=str)) == digest(with_fields(text=str))
    assert digest(with_fields(text=str)) != digest(with_fields(text=int))


def test_the_form_is_the_same_in_every_process() -> None:
    code = (
        "from scenario.caching.run_values import key_writer; w = key_writer(); "
        "w.write([{'a', 'b', 'c'}, {1: frozenset('xyz'), 'k': {'q', None}}, lambda x: x in {'u', 'v', 'w'}]); "
        "print(w.digest().hex())"
    )

    forms = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }

    assert len(forms) == 1
