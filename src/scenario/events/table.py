"""Rows of cells, as text in columns."""

from collections.abc import Sequence

from scenario.events.visible_text import visible_line

_GAP = "  "
_CUT = "..."


def aligned(rows: Sequence[Sequence[str]], limit: int | None = None) -> list[str]:
    """Return rows of equally many cells as text, in columns that are as wide as their widest cell.

    Args:
        rows: The rows.
        limit: Characters shown of a cell; left out, all of them are.
    """
    shown = [[_cut(visible_line(cell), limit) for cell in row] for row in rows]
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


def _cut(cell: str, limit: int | None) -> str:
    return cell if limit is None or len(cell) <= limit else f"{cell[: limit - len(_CUT)]}{_CUT}"
