"""Figures as a table, on the terminal and in the documentation."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.figures import Measured, shown

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
BEGIN = "<!-- figures: written by `python -m benchmarks --write-docs` -->"
END = "<!-- end of figures -->"
_VERDICTS = {True: "met", False: "MISSED", None: ""}


def line(measured: Measured) -> str:
    """Return a figure as a line for the terminal."""
    unit = measured.figure.unit
    target = f"at most {shown(measured.figure.target, unit)}" if measured.figure.target is not None else ""
    name = f"{measured.case.name}: {measured.figure.title}"
    verdict = f"{_VERDICTS[measured.is_met]:<7}{_compared(measured)}"
    return f"{name:<50} {shown(measured.value, unit):>14}   {target:<20} {verdict}".rstrip()


def write_page(page: Path, measured: Sequence[Measured], machine: Mapping[str, str], day: str) -> None:
    """Put the figures into a page, between its two marks."""
    text = page.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    where = f"Measured on {day}: {', '.join(machine.values())}."
    has_reference = any(each.reference or each.reference_outcome for each in measured)
    compared = ["Reference", "Ratio"] if has_reference else []
    rows = [
        ["What", "Figure", "Measured", *compared, "Target"],
        ["---", "---", "--:", *("--:" for _ in compared), "--:"],
    ]
    title = ""
    for each in measured:
        unit = each.figure.unit
        missed = " (missed)" if each.is_met is False else ""
        target = f"≤ {shown(each.figure.target, unit)}{missed}" if each.figure.target is not None else ""
        what = "" if each.case.title == title else each.case.title
        comparison = [_reference_value(each), _ratio(each)] if has_reference else []
        rows.append([what, each.figure.title, shown(each.value, unit), *comparison, target])
        title = each.case.title
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    page.write_text(f"{before}{BEGIN}\n{where}\n\n{table}\n{END}{after}", "utf-8")


def _reference_value(measured: Measured) -> str:
    return measured.reference_outcome.partition(":")[0] or shown(measured.reference_value, measured.figure.unit)


def _ratio(measured: Measured) -> str:
    return "" if measured.ratio is None else f"{measured.ratio:,.1f}"


def _compared(measured: Measured) -> str:
    if measured.reference_outcome:
        return f"  reference: {measured.reference_outcome}"
    return f"  reference: {_reference_value(measured)}, ratio {_ratio(measured) or '-'}" if measured.reference else ""
