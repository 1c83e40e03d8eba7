"""Debug mode: what a person types at the terminal is what the user says."""

import asyncio
import io
import os
import subprocess
import sys
import time
from typing import Any

import pytest

import scenario
from scenario.errors import ConfigurationError

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

from pseudo_terminal import PseudoTerminal

ASKING = """
user = scenario.UserSimulatorAgent(model="offline/user")
order = dict(
    name="tea shop", description='Somebody says "Is this the tea shop?"', agents=[Echo(), user], debug=True,
    script=[scenario.user(), scenario.agent(), scenario.succeed()],
)
"""
PROMPT = "[Debug Mode] tea shop: type what the user says, or press Enter to let the simulator speak."


class Echo(scenario.AgentAdapter):
    async def call(self, input: scenario.AgentInput) -> scenario.AgentReturnTypes:
        return "You said: " + input.last_new_user_message_str()


def run_with_debugging() -> scenario.ScenarioResult:
    return scenario.run_sync(
        name="tea shop",
        description="d",
        agents=[Echo(), scenario.UserSimulatorAgent(model="offline/user")],
        script=[scenario.user(), scenario.agent(), scenario.succeed()],
        debug=True,
    )


def test_what_is_typed_is_what_the_user_says() -> None:
    with PseudoTerminal(ASKING + "scenario.run_sync(**order)", columns=100) as terminal:
        terminal.wait_for("User:")
        assert terminal.display == ["", PROMPT, "User:"]
        assert terminal.colour_of("[Debug Mode]") == "brown"
        assert terminal.colour_of("User:") == "green"
        terminal.press("Have you got Darjeeling?\n")

        assert terminal.finish() == 0
        assert terminal.lines[:4] == [
            "",
            "User: Have you got Darjeeling?",
            "Agent: You said: Have you got Darjeeling?",
            "✓ PASSED tea shop",
        ]


def test_an_empty_line_lets_the_simulator_speak() -> None:
    with PseudoTerminal(ASKING + "scenario.run_sync(**order)", columns=100) as terminal:
        terminal.wait_for("User:")
        terminal.press("\n")

        assert terminal.finish() == 0
        assert terminal.lines[1:3] == ["User: Is this the tea shop?", "Agent: You said: Is this the tea shop?"]


@pytest.mark.parametrize(
    "typed", ["Grüße aus 東京 🍵", "a\tb", "long " * 50 + "end", "x" * 34, "x" * 35, "東" * 17], ids=ascii
)
def test_whatever_is_typed_arrives_and_its_prompt_goes(typed: str) -> None:
    program = ASKING + "result = scenario.run_sync(**order)\nprint('heard', ascii(result.messages[0]['content']))"
    with PseudoTerminal(program, columns=40) as terminal:
        terminal.wait_for("User:")
        terminal.press(typed + "\n")

        assert terminal.finish() == 0
        shown = "".join(terminal.lines)
        assert f"heard {typed!a}" in shown
        assert "[Debug Mode]" not in shown
        assert terminal.lines[1].startswith("User: ")


def test_a_very_long_line_arrives_whole() -> None:
    program = ASKING + "result = scenario.run_sync(**order)\nprint('heard', len(result.messages[0]['content']))"
    with PseudoTerminal(program) as terminal:
        terminal.wait_for("User:")
        terminal.press("x" * 4000 + "\n")

        assert terminal.finish() == 0
        assert terminal.lines[-1] == "heard 4000"


def test_nothing_is_taken_away_but_the_prompt() -> None:
    before = [f"line {number}" for number in range(30)]
    program = f"print({chr(10).join(before)!r})\n{ASKING}scenario.run_sync(**order)"
    with PseudoTerminal(program, columns=30, rows=10) as terminal:
        terminal.wait_for("User:")
        terminal.press("one two three four five six seven eight\n")

        assert terminal.finish() == 0
        assert terminal.lines[:33] == [*before, "", "User: one two three four five", "six seven eight"]


def test_what_was_said_before_is_shown_before_it_asks() -> None:
    program = ASKING + "order['script'][2:2] = [scenario.user(), scenario.agent()]\nscenario.run_sync(**order)"
    with PseudoTerminal(program, columns=100) as terminal:
        terminal.wait_for("User:")
        terminal.press("first\n")
        terminal.wait_for("You said: first")
        terminal.wait_for("[Debug Mode]")
        assert terminal.display == ["", "User: first", "Agent: You said: first", PROMPT, "User:"]
        terminal.press("second\n")

        assert terminal.finish() == 0
        assert terminal.lines[1:5] == [
            "User: first",
            "Agent: You said: first",
            "User: second",
            "Agent: You said: second",
        ]


def test_several_runs_ask_one_after_the_other_and_say_which_they_are() -> None:
    program = (
        ASKING
        + """
async def main():
    orders = [{**order, "name": name, "agents": [Echo(), user]} for name in ("red", "blue")]
    results = await scenario.run_many([scenario.run(**each) for each in orders])
    assert sorted(result.messages[0]["content"] for result in results) == ["one", "two"]
    assert all(result.messages[1]["content"] == "You said: " + result.messages[0]["content"] for result in results)
asyncio.run(main())
"""
    )
    with PseudoTerminal(program, columns=120) as terminal:
        asked: list[str] = []
        for answer in ("one", "two"):
            terminal.wait_for("[Debug Mode]")
            (prompt,) = (row for row in terminal.display if row.startswith("[Debug Mode]"))
            asked.append(prompt.split(":")[0].split()[-1])
            terminal.press(f"{answer}\n")
            while any(prompt in row for row in terminal.display):
                terminal.wait_for_more()

        assert terminal.finish() == 0
        assert sorted(asked) == ["blue", "red"]


def test_other_runs_wait_with_what_they_show_until_the_person_has_answered() -> None:
    program = (
        ASKING
        + """
async def main():
    await asyncio.gather(
        scenario.run(**order),
        scenario.run(name="other", description="d", agents=[Gated()], script=[scenario.user("hi"), scenario.agent()]),
    )
asyncio.run(main())
"""
    )
    with PseudoTerminal(program, columns=100) as terminal:
        terminal.wait_for("[Debug Mode]")
        terminal.press("half of ")
        terminal.wait_for("User: half of")
        before = terminal.display
        terminal.let_through()
        terminal.press("it\n")

        assert terminal.finish() == 0
        assert before[-2:] == [PROMPT, "User: half of"]
        assert any(line.endswith("Agent: Hello.") for line in terminal.lines)
        assert any(line.endswith("Agent: You said: half of it") for line in terminal.lines)
        assert not any("[Debug Mode]" in line for line in terminal.lines)


@pytest.mark.parametrize(
    "call", ["scenario.run_sync(**order)", "asyncio.run(scenario.run(**order))", "asyncio.run(scenario.arun(**order))"]
)
def test_ctrl_c_ends_the_run_at_once_and_leaves_the_terminal_as_it_was(call: str) -> None:
    program = f"""
before = termios.tcgetattr(0)
try:
    {call}
except KeyboardInterrupt:
    print("interrupted")
assert termios.tcgetattr(0) == before
print("next:", input())
"""
    with PseudoTerminal(ASKING + program, columns=100) as terminal:
        terminal.wait_for("User:")
        terminal.press("half a senten")
        terminal.wait_for("User: half a senten")
        began = time.monotonic()
        terminal.press("\x03")
        terminal.wait_for("interrupted")
        assert time.monotonic() - began < 2
        terminal.press("a line for somebody else\n")

        assert terminal.finish() == 0
        assert terminal.lines[-1] == "next: a line for somebody else"
        assert terminal.lines[2].startswith("User: half a senten")
        assert any(line.startswith("✗ ERROR tea shop") for line in terminal.lines)


def test_a_run_that_ends_while_it_asks_takes_nothing_from_the_next_prompt() -> None:
    program = (
        ASKING
        + """
async def main():
    await scenario.arun(**{**order, "name": "hasty"}, max_seconds=0.6)
    await scenario.arun(**order)
asyncio.run(main())
"""
    )
    with PseudoTerminal(program, columns=100) as terminal:
        terminal.wait_for("[Debug Mode] hasty")
        terminal.press("not finis")
        terminal.wait_for("[Debug Mode] tea shop")
        terminal.press("all of this\n")

        assert terminal.finish() == 0
        assert "Agent: You said: all of this" in terminal.lines


def test_lines_that_come_through_a_pipe_are_used_one_for_each_turn() -> None:
    program = "\n".join(
        [
            "import scenario",
            "class Echo(scenario.AgentAdapter):",
            "    async def call(self, input): return 'You said: ' + input.last_new_user_message_str()",
            ASKING,
            "order['script'][2:2] = [scenario.user(), scenario.agent()]",
            "scenario.run_sync(**order)",
            "print('left:', input())",
        ]
    )
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        input="first\nzweite ✓\nthird",
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
        timeout=20,
        check=True,
    )

    assert [line for line in finished.stdout.splitlines() if line.startswith(("Agent", "left"))] == [
        "Agent: You said: first",
        "Agent: You said: zweite ✓",
        "left: third",
    ]
    assert "\x1b" not in finished.stdout


async def test_a_line_of_which_a_cancelled_run_has_seen_the_beginning_is_the_next_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    monkeypatch.setattr(sys, "stdin", os.fdopen(reading, encoding="utf-8"))
    order: dict[str, Any] = {
        "name": "tea shop",
        "description": "d",
        "agents": [Echo(), scenario.UserSimulatorAgent(model="offline/user")],
        "script": [scenario.user(), scenario.agent(), scenario.succeed()],
        "debug": True,
    }
    os.write(writing, "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}".encode()[:3])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(scenario.arun(**order), 0.2)
    os.write(writing, "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n\n".encode()[3:])

    result = await scenario.arun(**order)

    os.close(writing)
    sys.stdin.close()
    assert result.messages[0].get("content") == "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n"


def test_the_question_goes_to_the_terminal_when_the_conversation_goes_to_a_file() -> None:
    program = f"""{ASKING}
with open(os.devnull, "w", encoding="utf-8") as sys.stdout:
    scenario.run_sync(**order)
os._exit(0)
"""
    with PseudoTerminal(program, columns=100) as terminal:
        terminal.wait_for("[Debug Mode]")
        terminal.press("hello\n")

        assert terminal.finish() == 0
        assert not terminal.lines


def test_captured_input_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match=r"reading from stdin while output is captured(.|\n)*add -s"):
        run_with_debugging()


@pytest.mark.parametrize("stdin", [io.StringIO(""), None], ids=["ended", "none"])
def test_input_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO | None) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)

    with pytest.raises(ConfigurationError, match="nothing can be read from standard input"):
        run_with_debugging()


def test_closed_input_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO("hello\n")
    closed.close()
    monkeypatch.setattr(sys, "stdin", closed)

    with pytest.raises(ConfigurationError, match="closed file"):
        run_with_debugging()


def test_whatever_stands_in_for_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("hello from elsewhere\n"))

    assert run_with_debugging().messages[1].get("content") == "You said: hello from elsewhere"


def test_the_end_of_input_at_the_terminal_is_an_error() -> None:
    program = ASKING + "try:\n    scenario.run_sync(**order)\nexcept ValueError as error:\n    print(error)"
    with PseudoTerminal(program, columns=120) as terminal:
        terminal.wait_for("User:")
        terminal.press("\x04")

        assert terminal.finish() == 0
        assert (
            "debug mode asks what the user says, and nothing can be read from standard input (it ended)"
            in terminal.lines
        )


async def test_a_run_that_shows_nothing_waits_for_nobody_before_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("hello\n"))

    result = await scenario.arun(
        name="tea shop",
        description="d",
        agents=[Echo(), scenario.UserSimulatorAgent(model="offline/user")],
        script=[scenario.user(), scenario.agent(), scenario.succeed()],
        debug=True,
        verbose=False,
    )

    assert result.messages[0].get("content") == "hello"
