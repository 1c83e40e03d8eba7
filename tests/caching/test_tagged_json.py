"""Values as text and back."""

import datetime
import json
import math
import subprocess
import sys
from collections import OrderedDict
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, Flag, StrEnum
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, PrivateAttr, RootModel, field_validator
from pydantic.dataclasses import dataclass as pydantic_dataclass

from scenario.caching.class_schema import class_schema
from scenario.caching.tagged_json import NotKept, NotReadable, decoded, encoded
from scenario.types import CriterionResult, Evidence, ScenarioResult
from scenario.usage import RunUsage, TokenUsage, Usage


class Colour(Enum):
    RED = "red"


class Tone(StrEnum):
    WARM = "warm"


class Right(Flag):
    READ = 1
    WRITE = 2


class Part(NamedTuple):
    name: str


@dataclass
class Order:
    id: str
    lines: list[Any] = field(default_factory=list[Any])

    def __post_init__(self) -> None:
        self.title = f"order {self.id}"


@dataclass(frozen=True, slots=True)
class Line:
    text: str


@pydantic_dataclass
class Price:
    amount: Decimal


class Customer(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)

    name: str
    orders: tuple[Order, ...] = ()
    _notes: list[str] = PrivateAttr(default_factory=list[str])

    def note(self, text: str) -> "Customer":
        self._notes.append(text)
        return self

    @property
    def notes(self) -> list[str]:
        return self._notes


class Doubled(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def _double(cls, number: int) -> int:
        return number * 2


class Names(RootModel[list[str]]):
    pass


class Loud:
    """Runs code when it is made."""

    def __init__(self) -> None:
        raise AssertionError("made")


# A busy machine makes an example slow now and then, and that says nothing about the code.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.binary(max_size=20)
    | st.complex_numbers(allow_nan=False)
    | st.decimals(allow_nan=False)
    | st.uuids()
    | st.dates()
    | st.times().map(lambda time: time.replace(fold=0))
    | st.datetimes(timezones=st.sampled_from([None, datetime.UTC])).map(lambda time: time.replace(fold=0))
    | st.timedeltas()
    | st.sampled_from([Colour.RED, Tone.WARM, Right.READ, Path("a/b")])
    | st.builds(Line, st.text(max_size=5))
)
hashables = st.recursive(leaves, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=6)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(hashables, inner, max_size=4)
        | st.dictionaries(st.sampled_from(["$", "of", "class"]), inner, max_size=3)
        | st.sets(hashables, max_size=4)
        | st.builds(Order, st.text(max_size=5), st.lists(inner, max_size=3))
    ),
    max_leaves=12,
)


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        pairs = zip(one.items(), other.items(), strict=True)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return len(one) == len(other) and all(same(a, b) for a, b in pairs)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))  # pyright: ignore[reportUnknownArgumentType]
    return one == other


@patient
@given(values)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    assert same(decoded(encoded(value)), value)


@patient
@given(st.text())
def test_text_of_any_kind_comes_back(text: str) -> None:
    assert decoded(encoded(text)) == text
    assert decoded(encoded("\ud800")) == "\ud800"


def test_numbers_that_are_not_finite_come_back() -> None:
    assert decoded(encoded(math.inf)) == math.inf
    assert math.isnan(decoded(encoded(math.nan)))


def test_a_pydantic_model_comes_back_with_everything_it_holds() -> None:
    customer = Customer(name="Ada", orders=(Order("1"),), age=36).note("called")  # type: ignore[call-arg]

    back = decoded(encoded(customer))

    assert back == customer
    assert back.model_fields_set == customer.model_fields_set
    assert back.notes == ["called"]
    assert back.orders[0].title == "order 1"


def test_validators_do_not_run_a_second_time() -> None:
    assert decoded(encoded(Doubled(number=2))).number == 4


@pytest.mark.parametrize(
    "value",
    [
        Names(["a"]),
        Price(Decimal("1.50")),
        UUID(int=1),
        ScenarioResult(
            success=False,
            messages=[{"role": "user", "content": "hi"}],
            failed_criteria=["polite"],
            criteria=[CriterionResult(criterion="polite", status="failed", evidence=[Evidence(quote="no")])],
            usage=RunUsage(by_role={"user": Usage().plus(TokenUsage(input_tokens=3))}),
        ),
    ],
)
def test_models_and_dataclasses_of_all_kinds_come_back(value: Any) -> None:
    assert decoded(encoded(value)) == value


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (object(), "object"),
        ([{"a": Loud}], "type"),
        (iter([]), "list_iterator"),
        (len, "builtin_function_or_method"),
        (OrderedDict(), "OrderedDict"),
        (Part("a"), "Part"),
        (bytearray(b"a"), "bytearray"),
        (Right.READ | Right.WRITE, "Right"),
        (ValueError("a"), "ValueError"),
        (Customer(name="a").note(object()), "object"),  # type: ignore[arg-type]  # a note that is none
        (datetime.datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Rome")), "datetime of a named time zone"),
        pytest.param(10**5000, "int", id="a very long number"),
    ],
)
def test_what_has_no_form_is_refused_by_name(value: Any, kind: str) -> None:
    with pytest.raises(NotKept) as caught:
        encoded(value)

    assert caught.value.kind.startswith(kind)


def test_a_class_that_cannot_be_found_again_is_refused() -> None:
    @dataclass
    class Hidden:
        text: str

    with pytest.raises(NotKept, match="Hidden"):
        encoded(Hidden("a"))


def test_a_value_that_cannot_even_be_looked_at_is_refused() -> None:
    with pytest.raises(NotKept, match="Line"):
        encoded(object.__new__(Line))


def test_a_very_deep_value_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(NotKept, match="deep"):
        encoded(deep)


def changed(value: Any, **entries: Any) -> bytes:
    return json.dumps({**json.loads(encoded(value)), **entries}).encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff",
        b'{"$": "unheard of", "of": 1}',
        b'{"$": "bytes", "of": "***"}',
        b'{"$": "tuple", "of": 3}',
        changed(Line("a"), fields="text:int"),
        changed(Line("a"), **{"class": "Gone"}),
        changed(Line("a"), module="tests.caching.gone"),
        changed(Line("a"), module="antigravity"),
        changed(Line("a"), **{"class": "Loud"}),
        changed(Line("a"), **{"class": "Loud", "fields": ""}),
        changed(Line("a"), **{"class": "Loud.__init__"}),
        changed(Line("a"), **{"$": "model"}),
        changed(Line("a"), **{"$": "enum"}),
        changed(Colour.RED, of="BLUE"),
        changed(Doubled(number=1), of=[1]),
        changed(Doubled(number=1), module="subprocess", **{"class": "Popen"}),
    ],
)
def test_a_text_that_no_value_of_this_program_has_is_refused(text: bytes) -> None:
    with pytest.raises(NotReadable):
        decoded(text)


def test_reading_imports_nothing_that_the_program_does_not_use() -> None:
    code = """
import json, sys
from scenario.caching.tagged_json import NotReadable, decoded
for module in ("antigravity", "turtle", "this", "smtpd"):
    try:
        decoded(json.dumps({"$": "dataclass", "module": module, "class": "X", "fields": "", "of": {}}).encode())
    except NotReadable:
        pass
print([name for name in ("antigravity", "turtle", "this", "smtpd") if name in sys.modules])
"""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert finished.stdout == "[]\n"


def test_a_property_of_the_class_is_not_run() -> None:
    text = json.loads(encoded(Watched("a")))
    text["of"]["loud"] = "x"

    assert decoded(json.dumps(text).encode()).text == "a"


@dataclass
class Watched:
    text: str

    @property
    def loud(self) -> str:
        raise AssertionError("read")

    @loud.setter
    def loud(self, _: str) -> None:
        raise AssertionError("set")


def test_a_schema_holds_no_address() -> None:
    assert "0x" not in class_schema(Doubled)
