"""What pytest is working on."""

from typing import Literal, TypeAlias

Phase: TypeAlias = Literal["setup", "call", "teardown", ""]


class UnderWay:
    """The test under way in this process, and the phase it is in.

    pytest works on one test at a time, so a run belongs to the test that is under way when it begins, whichever thread
    or loop it begins on.

    Attributes:
        test: Id of the test; empty between tests.
        phase: Its phase; empty between tests.
    """

    def __init__(self) -> None:
        self.test = ""
        self.phase: Phase = ""

    def enter(self, test: str, phase: Phase) -> None:
        """Begin a phase of a test."""
        self.test, self.phase = test, phase

    def leave(self) -> None:
        """End the work on a test."""
        self.test, self.phase = "", ""
