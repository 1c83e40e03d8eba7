"""Asks the person at the terminal what the user says."""

import asyncio
import contextlib
import os
import sys
import threading
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future
from typing import TextIO

from scenario.engine.foreign_work import foreign_work
from scenario.errors import ConfigurationError
from scenario.events import RunSink
from scenario.events.screen import screen
from scenario.events.screen_lines import Line, Piece, line
from scenario.events.screen_text import can_be_erased, is_interactive, rows_of, text_of, text_of_one, width_of
from scenario.running.typed_line import TypedLine

_DISPLAY_SECONDS = 0.5
_LEAVING_SECONDS = 1.0
_INSTRUCTION = "type what the user says, or press Enter to let the simulator speak."
_USER: Line = (Piece("User:", "user"), Piece(" "))
_UP_AND_ERASED = "\x1b[{rows}A\r\x1b[J"


class DebugPrompt:
    """Asks what the user of one run says. Runs that ask at the same time do so one after the other.

    Args:
        name: Name of the scenario.
        sink: Where the run's events go; what was said before is shown before anything is asked.
    """

    def __init__(self, name: str, sink: RunSink) -> None:
        self._name = name
        self._sink = sink

    async def ask(self) -> str:
        """Return the line that the person types; an empty one leaves the turn to the simulator.

        Raises:
            ConfigurationError: If there is nobody to ask.
        """
        await self._sink.caught_up(_DISPLAY_SECONDS)
        stdin: TextIO | None = sys.stdin
        if stdin is None:
            raise _nobody_to_ask("the program has none")
        question = _Question(self._name, stdin)
        # In a thread of its own, which does not keep the interpreter from exiting.
        threading.Thread(target=question.put, name="scenario-debug-prompt", daemon=True).start()
        with foreign_work():
            try:
                return await _settled(question)
            except (EOFError, OSError, ValueError) as error:
                raise _nobody_to_ask(str(error) or "it ended") from error


class _Question:
    """A question to the person at the terminal.

    Attributes:
        answer: What they typed.
    """

    def __init__(self, name: str, stdin: TextIO) -> None:
        self.answer: Future[str] = Future()
        self._name = name
        self._stdin = stdin
        self._typed = TypedLine(stdin)
        self._is_given_up = False

    def put(self) -> None:
        """Ask when it is this question's turn, and settle the answer."""
        try:
            with _turns().of(self):
                answer = None if self._is_given_up else self._ask()
        except Exception as error:  # handed to whoever waits for the answer
            self.answer.set_exception(error)
        else:
            self.answer.set_result(answer or "")

    def give_up(self) -> None:
        """Don't wait for the answer any longer."""
        self._is_given_up = True
        self._typed.give_up()
        _turns().look_again()

    @property
    def is_given_up(self) -> bool:
        """Whether nobody waits for the answer any longer."""
        return self._is_given_up

    def _ask(self) -> str | None:
        terminal = _where_to_ask()
        if terminal is None:
            return self._typed.read()
        instruction = line(Piece("[Debug Mode]", "scenario"), f" {self._name}: {_INSTRUCTION}")
        with screen().for_a_question() as write:
            write(terminal, text_of([instruction], terminal) + text_of_one(_USER, terminal))
            typed: str | None = None
            is_echoed = False
            try:
                typed = self._typed.read()
                is_echoed = typed is not None and is_interactive(self._stdin)
            finally:
                if not is_echoed:
                    write(terminal, "\n")
            if typed is not None and can_be_erased(terminal):
                width = width_of(terminal)
                answered = _plain(_USER) + (typed if is_echoed else "")
                rows = rows_of(_plain(instruction), width) + rows_of(answered, width)
                write(terminal, _UP_AND_ERASED.format(rows=rows))
            return typed


class _Turns:
    """The questions that wait, the first of which is being asked."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[_Question] = deque()

    @contextlib.contextmanager
    def of(self, question: _Question) -> Generator[None]:
        """Wait until it is the turn of `question`, or nobody waits for its answer any longer."""
        with self._changed:
            self._waiting.append(question)
            self._changed.wait_for(lambda: question.is_given_up or self._waiting[0] is question)
        try:
            yield
        finally:
            with self._changed:
                self._waiting.remove(question)
                self._changed.notify_all()

    def look_again(self) -> None:
        """Let those who wait find out that they need not."""
        with self._changed:
            self._changed.notify_all()


async def _settled(question: _Question) -> str:
    answer = asyncio.wrap_future(question.answer)
    try:
        return await asyncio.shield(answer)
    except asyncio.CancelledError:
        question.give_up()
        done, _ = await asyncio.wait([answer], timeout=_LEAVING_SECONDS)
        if done:
            # Whatever came of it is of no interest any more.
            answer.exception()
        else:
            screen().go_on()
        raise


def _nobody_to_ask(why: str) -> ConfigurationError:
    return ConfigurationError(
        f"debug mode asks what the user says, and nothing can be read from standard input ({why})",
        "run it at a terminal (with pytest, add -s), or leave `debug` off",
    )


def _where_to_ask() -> TextIO | None:
    """Return the terminal to ask on, even if the conversation goes to a file; else standard output."""
    outputs: list[TextIO | None] = [sys.stdout, sys.stderr]
    return next((each for each in outputs if each is not None and is_interactive(each)), outputs[0])


def _plain(shown: Line) -> str:
    return "".join(piece.text for piece in shown)


def _turns() -> _Turns:
    # By process: a lock that was held when the process forked would stay locked in the child for good.
    pid = os.getpid()
    return _turns_by_process.get(pid) or _turns_by_process.setdefault(pid, _Turns())


_turns_by_process: dict[int, _Turns] = {}
