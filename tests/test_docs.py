"""Runs the Python blocks of README.md and of every page in docs/, the way a reader would.

The blocks of a page become one module: they run in order in one namespace, and test functions among them are run by
pytest. Nothing but this machine can be reached, and no key is in the environment.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

import scenario

_ROOT = Path(__file__).parents[1]
_PAGES = [_ROOT / "README.md", *sorted((_ROOT / "docs").rglob("*.md"))]
_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<info>.*)$")
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ (.+?)(?: #+)?$")
_REASON = re.compile(r"\b(needs?|because|requires?|since|calls|fails)\b", re.IGNORECASE)
_NO_TESTS_COLLECTED = 5

_OFFLINE = """
import ipaddress
import sys

def refuse_the_network(event, arguments):
    if event in {"socket.connect", "socket.sendto"} and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if host not in (None, "", "localhost", b"localhost"):
        try:
            local = ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
        except ValueError:
            local = False
        if not local:
            raise ConnectionRefusedError(f"documentation runs offline, and this block wants to reach {host}")

sys.addaudithook(refuse_the_network)
"""

_SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
addopts = --strict-markers -p no:cacheprovider -p no:xdist --timeout=30 -q
filterwarnings = error
"""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page.

    Attributes:
        info: What follows the opening fence.
        line: Number of the block's first line in the page, from 1.
        lines: Its lines, without the page's indentation.
        before: The last line of prose before it.
    """

    info: str
    line: int
    lines: list[str]
    before: str


def _blocks(text: str) -> Iterator[Block]:
    prose, opening, first, lines = "", None, 0, list[str]()
    for number, line in enumerate(text.splitlines(), 1):
        fence = _FENCE.match(line)
        if opening is None:
            if fence:
                opening, first, lines = fence, number + 1, []
            elif line.strip():
                prose = line.strip()
        elif fence and fence["fence"].startswith(opening["fence"]) and not fence["info"].strip():
            yield Block(opening["info"].strip(), first, lines, prose)
            opening = None
        else:
            lines.append(line.removeprefix(opening["indent"]))
    assert opening is None, f"the block that starts in line {first} has no end"


def _module(blocks: list[Block]) -> str:
    """Return a module that holds each block at the line it has in its page."""
    lines: list[str] = []
    for block in blocks:
        lines += [""] * (block.line - 1 - len(lines))
        lines += block.lines
    return "\n".join(lines) + "\n"


def _python_blocks(page: Path) -> list[Block]:
    blocks = [block for block in _blocks(page.read_text("utf-8")) if block.info.split()[:1] == ["python"]]
    for block in blocks:
        assert block.info in {"python", "python no-test"}, f"line {block.line - 1}: what is ```{block.info}?"
    return blocks


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
@pytest.mark.timeout(120)
def test_the_blocks_of_a_page_run_as_they_stand(page: Path, tmp_path: Path) -> None:
    blocks = [block for block in _python_blocks(page) if block.info == "python"]
    if not blocks:
        return
    (tmp_path / "conftest.py").write_text(_OFFLINE, "utf-8")
    (tmp_path / "pytest.ini").write_text(_SETTINGS, "utf-8")
    module = tmp_path / f"{re.sub(r'[^a-z0-9]', '_', page.stem.lower())}_page.py"
    module.write_text(_module(blocks), "utf-8")

    finished = subprocess.run(
        [sys.executable, "-m", "pytest", module.name],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_COLOR": "1", "SCENARIO_ALLOW_MODEL_REQUESTS": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert finished.returncode in {0, _NO_TESTS_COLLECTED}, f"{page.relative_to(_ROOT)}:\n{finished.stdout}"


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
def test_a_block_that_is_not_run_says_why_in_the_line_before_it(page: Path) -> None:
    for block in _python_blocks(page):
        if block.info == "python no-test":
            assert _REASON.search(block.before), f"line {block.line - 1} is not run, and nobody says why"


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
def test_no_test_of_a_page_hides_another(page: Path) -> None:
    blocks = [block for block in _python_blocks(page) if block.info == "python"]
    tests = re.findall(r"^(?:async )?def (test_\w+)", _module(blocks), re.MULTILINE)

    assert len(tests) == len(set(tests)), f"two of these have one name: {tests}"


def _prose(page: Path) -> list[str]:
    text = page.read_text("utf-8")
    blocks = _blocks(text)
    code = {number for block in blocks for number in range(block.line, block.line + len(block.lines))}
    return [line for number, line in enumerate(text.splitlines(), 1) if number not in code]


def _links(page: Path) -> list[str]:
    targets = [target for line in _prose(page) for target in _LINK.findall(line)]
    return [target for target in targets if not target.startswith(("http:", "https:"))]


def _anchors(page: Path) -> set[str]:
    """Return what the headings of a page are called in links, by the rules of GitHub."""
    headings = [heading[1] for line in _prose(page) if (heading := _HEADING.match(line))]
    return {re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


@pytest.mark.parametrize("page", [*_PAGES, *_ROOT.glob("C*.md")], ids=lambda page: str(page.relative_to(_ROOT)))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    files = [link.partition("#")[0] for link in _links(page)]

    assert not [file for file in files if not (page.parent / file).exists()]


@pytest.mark.parametrize("page", [*_PAGES, *_ROOT.glob("C*.md")], ids=lambda page: str(page.relative_to(_ROOT)))
def test_links_to_sections_lead_somewhere(page: Path) -> None:
    sections = [link.partition("#")[::2] for link in _links(page) if "#" in link]

    assert not [
        f"{file}#{anchor}" for file, anchor in sections if anchor not in _anchors(page.parent / file if file else page)
    ]


def test_the_navigation_holds_every_page_and_no_other() -> None:
    project = tomllib.loads((_ROOT / "zensical.toml").read_text("utf-8"))["project"]
    pages = {str(page.relative_to(_ROOT / "docs")) for page in _PAGES[1:]}

    assert set(_pages_of(project["nav"])) == pages


def test_the_reference_describes_every_public_name() -> None:
    page = (_ROOT / "docs" / "reference" / "index.md").read_text("utf-8")
    described = set(re.findall(r"^::: scenario\.(\w+)$", page, re.MULTILINE))

    assert described == set(scenario.__all__) - {"configure", "default_config"}
    assert "`scenario.configure()`" in page
    assert "`scenario.default_config`" in page


def _pages_of(entry: Any) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
        return
    inner = cast("dict[str, Any]", entry).values() if isinstance(entry, dict) else cast("list[Any]", entry)
    for item in inner:
        yield from _pages_of(item)


def test_a_blocks_lines_keep_their_numbers() -> None:
    page = "text\n\n```python\na = 1\n```\n\nmore\n\n  ```python no-test\n  b = 2\n  ```\n"

    first, second = _blocks(page)

    assert (first.info, first.line, first.lines, first.before) == ("python", 4, ["a = 1"], "text")
    assert (second.info, second.line, second.lines, second.before) == ("python no-test", 10, ["b = 2"], "more")
    assert _module([first, second]).splitlines() == ["", "", "", "a = 1", "", "", "", "", "", "b = 2"]
