"""Rows of cells, as text in columns."""

from collections.abc import Sequence

from scenario.events.visible_text import visible_line

CELL_LIMIT = 80
"""Characters shown of a cell."""

_GAP = "  "
_CUT = "..."


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of equally many cells as text, in columns that are as wide as their widest cell."""
    shown = [[_cut(visible_line(cell)) for cell in row] for row in rows]
    widths = [max(map(cells_of, column)) for column in zip(*shown, strict=True)]
    return [
        _GAP.join(cell + " " * (width - cells_of(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in shown
    ]


def cells_of(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    # Loaded here: most texts need no table of widths.
    from rich.cells import cell_len

    return cell_len(text)


def _cut(cell: str) -> str:
    return cell if len(cell) <= CELL_LIMIT else f"{cell[: CELL_LIMIT - len(_CUT)]}{_CUT}"
