"""Which calls of functions count as the same call, and which do not."""

import asyncio
import functools
import textwrap
import threading
from collections.abc import Callable
from enum import Enum
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from scenario.caching import cache
from scenario.caching.cached_function import CachedFunction


class Calls:
    """Counts what was really called."""

    def __init__(self) -> None:
        self.made: list[Any] = []
        self.lock = threading.Lock()

    def note(self, *what: Any) -> None:
        with self.lock:
            self.made.append(what)

    @property
    def count(self) -> int:
        return len(self.made)


MADE = Calls()


@pytest.fixture(autouse=True)
def made() -> Calls:
    MADE.made.clear()
    return MADE


@cache()
def area(width: int, height: int = 1, *more: int, unit: str = "m", **options: Any) -> str:
    MADE.note(width, height)
    return f"{width}x{height}{more}{unit}{sorted(options)}"


def test_keyword_arguments_are_part_of_the_key(made: Calls) -> None:
    assert [area(width=1), area(width=2), area(1, unit="cm"), area(1, fast=True)] == [
        "1x1()m[]",
        "2x1()m[]",
        "1x1()cm[]",
        "1x1()m['fast']",
    ]
    assert made.count == 4


def test_however_arguments_are_passed_the_call_is_the_same(made: Calls) -> None:
    assert {area(1), area(width=1), area(1, 1), area(height=1, width=1), area(1, unit="m")} == {"1x1()m[]"}
    assert made.count == 1


def test_a_wrong_call_fails_as_ever() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'width'"):
        area()  # type: ignore[call-arg]


def test_two_functions_do_not_share_answers() -> None:
    @cache()
    def one(x: int) -> str:
        return f"one {x}"

    @cache()
    def other(x: int) -> str:
        return f"other {x}"

    assert (one(1), other(1)) == ("one 1", "other 1")


def test_two_lambdas_do_not_share_answers() -> None:
    functions: list[Callable[[int], str]] = [lambda x: f"one {x}", lambda x: f"other {x}"]
    one, other = map(cache(), functions)

    assert (one(1), other(1)) == ("one 1", "other 1")


class Agent:
    tone = "kind"

    def __init__(self, prompt: str) -> None:
        self.prompt = prompt
        self._style = "short"
        self._lock = threading.Lock()
        self.calls = 0

    @cache()
    def reply(self, text: str) -> str:
        self.calls += 1
        return f"{self.prompt}:{self._style}:{self.tone}:{text}"

    @cache(ignore=["self"])
    def greet(self, name: str) -> str:
        return f"{self.prompt} {name}"

    @cache(ignore=["self.prompt"])
    def bow(self, name: str) -> str:
        return f"{self.prompt} {name} {self._style}"

    @cache(ignore=["_style"])
    def nod(self, name: str) -> str:
        return f"{self.prompt} {name} {self._style}"

    @classmethod
    @cache()
    def of(cls, text: str) -> str:
        return f"{cls.tone}:{text}"

    @staticmethod
    @cache()
    def plain(text: str) -> str:
        MADE.note(text)
        return text


class Louder(Agent):
    tone = "loud"


def test_objects_with_another_state_do_not_share_answers() -> None:
    private = Agent("a")
    private._style = "long"  # pyright: ignore[reportPrivateUsage]

    assert Agent("a").reply("x") == "a:short:kind:x"
    assert Agent("b").reply("x") == "b:short:kind:x"
    assert private.reply("x") == "a:long:kind:x"
    assert Louder("a").reply("x") == "a:short:loud:x"


def test_objects_with_the_same_state_share_answers() -> None:
    first, second = Agent("a"), Agent("a")

    assert first.reply("x") == second.reply("x") == first.reply("x")
    assert (first.calls, second.calls) == (1, 0)


def test_an_object_that_is_ignored_does_not_count() -> None:
    assert Agent("a").greet("Ada") == Agent("b").greet("Ada") == "a Ada"


def test_an_ignored_attribute_does_not_count() -> None:
    private = Agent("a")
    private._style = "long"  # pyright: ignore[reportPrivateUsage]

    assert Agent("a").bow("Ada") == Agent("b").bow("Ada") == "a Ada short"
    assert private.bow("Ada") == "a Ada long"
    assert Agent("a").nod("Ada") == private.nod("Ada") == "a Ada short"


def test_class_methods_count_by_their_class(made: Calls) -> None:
    assert (Agent.of("x"), Louder.of("x")) == ("kind:x", "loud:x")
    assert Agent.plain("x") == Agent.plain("x")
    assert made.count == 1


def test_a_bound_method_can_be_decorated() -> None:
    one, other = cache()(Agent("a").greet), cache()(Agent("b").nod)

    assert (one("x"), other("x")) == ("a x", "b x short")


def test_ignored_parameters_do_not_count(made: Calls) -> None:
    @cache(ignore=["trace", "span"])
    def ask(text: str, trace: object = None, **more: Any) -> str:
        MADE.note(text)
        return text

    assert ask("a", trace=object()) == ask("a", object(), span=iter([1])) == "a"
    assert made.count == 1


def test_one_name_may_be_ignored_without_a_list(made: Calls) -> None:
    @cache(ignore="trace")
    def ask(text: str, trace: int) -> str:
        MADE.note(text)
        return text

    assert ask("a", 1) == ask("a", 2)
    assert made.count == 1


def test_an_unknown_name_to_ignore_is_named(caplog: pytest.LogCaptureFixture) -> None:
    @cache(ignore=["txt"])
    def ask(text: str) -> str:
        return text

    assert ask("a") == "a"
    assert "has no parameter 'txt' to ignore; it has text" in caplog.text


def defined(source: str, name: str = "ask", module: str = "shop", **names: Any) -> Callable[..., Any]:
    """What a module with this source has under a name, as after an edit and a new start."""
    namespace: dict[str, Any] = {"__name__": module, "cache": cache, **names}
    exec(compile(textwrap.dedent(source), f"{module}.py", "exec"), namespace)
    return namespace[name]


def key_of(function: Callable[..., Any], *args: Any, **kwargs: Any) -> bytes:
    call = CachedFunction(function, ()).call(args, kwargs)
    assert call is not None
    return call.key


DATACLASS = "from dataclasses import dataclass\n@dataclass\n"
MODEL = "from pydantic import BaseModel, Field\n"
ENGINE = """
class Engine:
    def __init__(self, tone):
        self.tone = tone

    def prompt(self):
        return self.start() + self.tone

    def start(self):
        return "Be "

"""
PARTIAL = "from functools import partial\ndef join(a, b):\n    return a + b\n"
ASK = """
    def ask(text):
        return f"Be kind. {text}"
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ASK, ASK.replace("kind", "brief")),
        (ASK, ASK.replace("text):", "text, tone=None):")),
        (
            "def ask(text):\n    def inner():\n        return 'a' + text\n    return inner()",
            "def ask(text):\n    def inner():\n        return 'b' + text\n    return inner()",
        ),
        (
            "PROMPT = 'a'\ndef ask(text):\n    return PROMPT + text",
            "PROMPT = 'b'\ndef ask(text):\n    return PROMPT + text",
        ),
        (
            "OPTIONS = {'tone': ['a']}\ndef ask(text):\n    return OPTIONS['tone'][0] + text",
            "OPTIONS = {'tone': ['b']}\ndef ask(text):\n    return OPTIONS['tone'][0] + text",
        ),
        (
            "def prompt():\n    return 'a'\ndef ask(text):\n    return prompt() + text",
            "def prompt():\n    return 'b'\ndef ask(text):\n    return prompt() + text",
        ),
        (
            "def prompt(tone='a'):\n    return tone\ndef ask(text):\n    return [prompt() + t for t in text]",
            "def prompt(tone='b'):\n    return tone\ndef ask(text):\n    return [prompt() + t for t in text]",
        ),
        (
            "class Tones:\n    main = 'a'\ndef ask(text):\n    return Tones.main + text",
            "class Tones:\n    main = 'b'\ndef ask(text):\n    return Tones.main + text",
        ),
        (
            "class Q:\n    def __init__(self):\n        self.tone = 'a'\ndef ask(text):\n    return Q().tone + text",
            "class Q:\n    def __init__(self):\n        self.tone = 'b'\ndef ask(text):\n    return Q().tone + text",
        ),
        (
            f"{DATACLASS}class Q:\n    tone: str = 'a'\ndef ask(text):\n    return repr(Q()) + text",
            f"{DATACLASS}class Q:\n    tone: str = 'b'\ndef ask(text):\n    return repr(Q()) + text",
        ),
        (
            f"{MODEL}class Q(BaseModel):\n    tone: str = 'a'\ndef ask(text):\n    return Q().tone + text",
            f"{MODEL}class Q(BaseModel):\n    tone: str = 'b'\ndef ask(text):\n    return Q().tone + text",
        ),
        (
            f"{MODEL}class Q(BaseModel):\n    t: int = Field(default_factory=lambda: 1)\ndef ask(x):\n    return Q()",
            f"{MODEL}class Q(BaseModel):\n    t: int = Field(default_factory=lambda: 2)\ndef ask(x):\n    return Q()",
        ),
        (
            f"{ENGINE}ENGINE = Engine('a')\ndef ask(text):\n    return ENGINE.tone + text",
            f"{ENGINE}ENGINE = Engine('b')\ndef ask(text):\n    return ENGINE.tone + text",
        ),
        (
            f"{ENGINE}ENGINE = Engine('a')\ndef ask(text):\n    return ENGINE.prompt() + text",
            f"{ENGINE}ENGINE = Engine('b')\ndef ask(text):\n    return ENGINE.prompt() + text",
        ),
        (
            f"{ENGINE}ENGINE = Engine('a')\ndef ask(text):\n    return ENGINE.prompt() + text",
            f"{ENGINE}ENGINE = Engine('a')\ndef ask(text):\n    return ENGINE.prompt() + text".replace("Be", "Do"),
        ),
        (
            f"{PARTIAL}fill = partial(join, 'a')\ndef ask(text):\n    return fill(text)",
            f"{PARTIAL}fill = partial(join, 'b')\ndef ask(text):\n    return fill(text)",
        ),
        (
            f"{PARTIAL}fill = partial(join, 'a')\ndef ask(text):\n    return fill(text)",
            f"{PARTIAL}fill = partial(join, 'a')\ndef ask(text):\n    return fill(text)".replace("a + b", "b + a"),
        ),
        (
            "def prompt():\n    return tone()\ndef tone():\n    return 'a'\ndef ask(text):\n    return prompt() + text",
            "def prompt():\n    return tone()\ndef tone():\n    return 'b'\ndef ask(text):\n    return prompt() + text",
        ),
    ],
)
def test_an_edit_of_what_a_function_is_made_of_changes_the_key(before: str, after: str) -> None:
    assert key_of(defined(before), "x") == key_of(defined(before), "x")
    assert key_of(defined(before), "x") != key_of(defined(after), "x")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ASK, f"# a comment\n\n\n{textwrap.dedent(ASK)}"),
        (ASK, textwrap.dedent(ASK) + "def other():\n    return 2\nUNUSED = 3\n"),
        (
            "import os\nlog = open\ndef ask(text):\n    return os.sep + text",
            "import os\nlog = print\ndef ask(text):\n    return os.sep + text",
        ),
    ],
)
def test_an_edit_elsewhere_keeps_the_key(before: str, after: str) -> None:
    assert key_of(defined(before), "x") == key_of(defined(after), "x")


def module_named(name: str, **contents: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(contents)
    return module


def test_a_constant_of_another_module_of_the_program_counts() -> None:
    source = "def ask(text):\n    return prompts.tones.SYSTEM + text"

    def key(system: str, file: str = "/home/ada/prompts/tones.py") -> bytes:
        tones = module_named("prompts.tones", SYSTEM=system, OTHER=system, __file__=file)
        return key_of(defined(source, prompts=module_named("prompts", tones=tones)), "x")

    assert key("a") == key("a") != key("b")
    installed = "/usr/lib/python3/site-packages/prompts/tones.py"
    assert key("a", installed) == key("b", installed)


def test_constants_that_are_not_named_do_not_count() -> None:
    source = "def ask(text):\n    return prompts.SYSTEM + text"
    one, other = (module_named("prompts", SYSTEM="a", OTHER=number) for number in (1, 2))

    assert key_of(defined(source, prompts=one), "x") == key_of(defined(source, prompts=other), "x")


@pytest.mark.parametrize("edit", [("Be ", "Do "), ("+ self.tone", "* 2 + self.tone")])
@pytest.mark.parametrize("state", ["Engine('a')", "[{'e': Engine('a')}]"])
def test_the_code_of_a_class_that_a_method_has_an_object_of_counts(edit: tuple[str, str], state: str) -> None:
    source = f"""{ENGINE}
class Agent:
    def __init__(self):
        self.e = {state}

    def ask(self, text):
        e = self.e if isinstance(self.e, Engine) else self.e[0]["e"]
        return e.prompt() + text
"""
    keys = [key_of(defined(text, "Agent")().ask, "x") for text in (source, source, source.replace(*edit))]

    assert keys[0] == keys[1] != keys[2]


def test_an_object_of_the_module_counts_as_it_was_when_it_was_met() -> None:
    function: Any = defined(f"{ENGINE}ENGINE = Engine('a')\ndef ask(text):\n    return ENGINE.tone + text")
    before = key_of(function, "x")
    function.__globals__["ENGINE"].tone = "b"

    assert key_of(function, "x") == before


def test_the_module_is_part_of_the_key() -> None:
    assert key_of(defined(ASK), "x") != key_of(defined(ASK, module="bank"), "x")


METHOD = """
    class Agent:
        PROMPT = "a"

        def ask(self, text):
            return self.prompt() + self.style + text

        def prompt(self):
            return self.PROMPT

        @property
        def style(self):
            return "brief"

        def unrelated(self):
            return 1
"""


@pytest.mark.parametrize(
    "edit", [('PROMPT = "a"', 'PROMPT = "b"'), ("return self.PROMPT", "return self.PROMPT * 2"), ('"brief"', '"long"')]
)
def test_an_edit_of_what_a_method_leans_on_changes_the_key(edit: tuple[str, str]) -> None:
    before: Any = defined(METHOD, "Agent")()
    after: Any = defined(METHOD.replace(*edit), "Agent")()

    assert key_of(before.ask, "x") != key_of(after.ask, "x")


def test_an_edit_of_another_method_keeps_the_key() -> None:
    before: Any = defined(METHOD, "Agent")()
    after: Any = defined(METHOD.replace("return 1", "return 2"), "Agent")()

    assert key_of(before.ask, "x") == key_of(after.ask, "x")


def test_closures_are_part_of_the_key() -> None:
    def asking(prompt: object) -> Callable[[str], str]:
        @cache()
        def ask(text: str) -> str:
            return f"{prompt} {text}"

        return ask

    assert [asking("a")("x"), asking("b")("x"), asking(["c"])("x"), asking("a")("x")] == [
        "a x",
        "b x",
        "['c'] x",
        "a x",
    ]


def test_an_object_in_a_closure_counts_as_it_was_when_it_was_met(made: Calls) -> None:
    class Memory:
        def __init__(self, name: str) -> None:
            self.name = name
            self.turns = 0

        def remember(self) -> str:
            self.turns += 1
            return self.name

    def asking(memory: Memory) -> Callable[[str], str]:
        @cache()
        def ask(text: str) -> str:
            MADE.note(text)
            return memory.remember() + text

        return ask

    ask = asking(Memory("a"))
    assert [ask("x"), ask("y"), ask("x"), asking(Memory("b"))("x"), asking(Memory("a"))("y")] == [
        "ax",
        "ay",
        "ax",
        "bx",
        "ay",
    ]
    assert made.count == 3


def test_wrappers_of_other_decorators_count() -> None:
    def saying(prompt: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
        def decorate(function: Callable[..., str]) -> Callable[..., str]:
            @functools.wraps(function)
            def wrapper(*args: Any) -> str:
                return prompt + function(*args)

            return wrapper

        return decorate

    def asking(prompt: str) -> Callable[..., str]:
        @cache()
        @saying(prompt)
        def ask(text: str) -> str:
            return text

        return ask

    assert [asking("a")("x"), asking("b")("x")] == ["ax", "bx"]


calls_of_a_global = 0


def test_what_a_function_keeps_for_itself_is_not_part_of_its_key() -> None:
    number = 0
    seen: list[str] = []
    by_name = {"n": 0}

    @cache()
    def counted(text: str) -> str:
        global calls_of_a_global
        nonlocal number
        calls_of_a_global += 1
        number += 1
        seen.append(text)
        by_name["n"] += 1
        return f"{text} {number} {len(seen)} {calls_of_a_global} {by_name['n']}"

    assert counted("a") == counted("a") == "a 1 1 1 1"
    assert counted("b") == "b 2 2 2 2"


class Lazy:
    client: object = None
    total = 0

    def __init__(self) -> None:
        self.log: list[str] = []
        self.times: dict[str, int] = {}

    @cache()
    async def ask(self, text: str) -> str:
        if self.client is None:
            self.client = iter([])
        Lazy.total += 1
        self.log.append(text)
        self.times[text] = self.times.get(text, 0) + 1
        return f"{text} {Lazy.total}"


async def test_what_a_method_sets_on_its_object_is_not_part_of_its_key() -> None:
    agent = Lazy()

    assert await agent.ask("a") == await agent.ask("a") == await Lazy().ask("a")


def test_the_order_of_names_and_sets_does_not_count(made: Calls) -> None:
    @cache()
    def ask(options: dict[str, int], tags: set[str]) -> int:
        MADE.note()
        return len(options)

    ask({"a": 1, "b": 2}, {"x", "y"})
    ask({"b": 2, "a": 1}, {"y", "x"})

    assert made.count == 1


def test_a_class_given_as_an_argument_counts_by_its_fields(made: Calls) -> None:
    @cache()
    def ask(shape: type[BaseModel]) -> str:
        MADE.note()
        return shape.__name__

    def answer(kind: type) -> type[BaseModel]:
        return type("Answer", (BaseModel,), {"__annotations__": {"text": kind}, "__module__": __name__})

    for kind in (str, str, int):
        ask(answer(kind))

    assert made.count == 2


def test_what_cannot_be_compared_is_not_cached_and_named_once(made: Calls, caplog: pytest.LogCaptureFixture) -> None:
    @cache()
    def ask(text: str, options: dict[str, Any]) -> str:
        MADE.note()
        return text

    for _ in range(3):
        assert ask("a", {"stream": iter([])}) == "a"

    assert made.count == 3
    assert len(caplog.records) == 1
    assert "`options['stream']` of" in caplog.text
    assert "is list_iterator, which cannot be compared: calls are not cached" in caplog.text
    assert "ignore=['options']" in caplog.text


def test_an_argument_that_cannot_even_be_looked_at_does_not_fail_the_call(
    made: Calls, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Enum):
        ONE = 1

        @property
        def value(self) -> int:
            raise KeyError("broken")

    @cache()
    def ask(text: str, tone: Enum) -> str:
        MADE.note()
        return text

    assert ask("a", Broken.ONE) == ask("a", Broken.ONE) == "a"
    assert made.count == 2
    assert len(caplog.records) == 1
    assert "cannot be compared (KeyError('broken')), and are not cached" in caplog.text


def test_an_attribute_that_cannot_be_compared_is_named_as_it_is_ignored(
    made: Calls, caplog: pytest.LogCaptureFixture
) -> None:
    class Streaming:
        def __init__(self) -> None:
            self.source = {"a": iter([])}

        @cache()
        def ask(self, text: str) -> str:
            return text

    Streaming().ask("a")

    assert "`self.source['a']`" in caplog.text
    assert "ignore=['self.source']" in caplog.text


def test_a_function_that_names_itself_through_data_has_a_key() -> None:
    ask = defined("def ask(text):\n    return HANDLERS['ask'] and text\nHANDLERS = {'ask': ask, 'n': [ask]}")

    assert key_of(ask, "x") == key_of(ask, "x")


def test_functions_that_call_each_other_have_a_key() -> None:
    source = "def ask(text):\n    return other(text)\ndef other(text):\n    return text or ask(text)"

    assert key_of(defined(source), "x") == key_of(defined(source), "x")


def test_a_decorated_function_counts_in_functions_that_call_it() -> None:
    source = "@cache()\ndef prompt():\n    return 'a'\ndef ask(text):\n    return prompt() + text"

    assert key_of(defined(source), "x") == key_of(defined(source), "x")
    assert key_of(defined(source), "x") != key_of(defined(source.replace("'a'", "'b'")), "x")


def test_enum_values_are_part_of_the_key() -> None:
    before, after = Enum("Tone", {"MAIN": "a"}, module="m"), Enum("Tone", {"MAIN": "b"}, module="m")

    def ask(tone: Enum) -> str:
        return str(tone.value)

    assert key_of(ask, before["MAIN"]) != key_of(ask, after["MAIN"])


def test_large_collections_of_a_module_do_not_slow_calls_down() -> None:
    ask = defined("WORDS = [str(i) for i in range(100_000)]\ndef ask(text):\n    return WORDS[0] + text")

    assert key_of(ask, "x") == key_of(ask, "x")


def test_threads_and_loops_agree_on_a_key() -> None:
    keys = [key_of(area, 1)]
    thread = threading.Thread(target=lambda: keys.append(asyncio.run(_key_in_a_loop())))

    thread.start()
    thread.join()

    assert len(set(keys)) == 1


async def _key_in_a_loop() -> bytes:
    return key_of(area, width=1)
