"""Shortens the tracebacks of failing tests to the frames that belong to the test and to what it tests."""

from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from scenario.errors import ScenarioError

_OURS = str(Path(__file__).parents[1])
# How an error gets from a run's thread to its test.
_BRIDGE = str(Path("concurrent", "futures", "_base.py"))


def hide_own_frames(error: BaseException) -> None:
    """Have pytest leave the frames of this package out of the traceback of an error, and of its causes.

    An error that arises here without being raised on purpose keeps all of them: somebody has to find out why.
    """
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        _hide(each)
        each = each.__cause__ or each.__context__


def _hide(error: BaseException) -> None:
    frames = list(_frames_of(error))
    if not frames or (_is_own(frames[-1]) and not isinstance(error, ScenarioError)):
        return
    own: list[FrameType] = []
    for frame in frames:
        on_the_bridge = bool(own) and frame.f_code.co_filename.endswith(_BRIDGE)
        if _is_own(frame) or on_the_bridge:
            own.append(frame)
    # Of a traceback that lies in this package as a whole, the end is worth something.
    for frame in own if len(own) < len(frames) else own[:-1]:
        frame.f_locals["__tracebackhide__"] = True


def _frames_of(error: BaseException) -> Iterator[FrameType]:
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _is_own(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_OURS)
