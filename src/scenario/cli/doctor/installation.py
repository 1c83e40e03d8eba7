"""Looks at Python, the packages, and whether other files stand in the way of ours."""

import base64
import hashlib
import platform
import re
import sys
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

import scenario
from scenario.cli.doctor.finding import Finding, ok, problem, warning
from scenario.version import __version__

DISTRIBUTION = "agent-scenario"
OTHER_DISTRIBUTION = "langwatch-scenario"
_AGAIN = f"pip uninstall -y {OTHER_DISTRIBUTION} {DISTRIBUTION} && pip install {DISTRIBUTION}"

_PACKAGE = Path(scenario.__file__).parent
_REQUIREMENT = re.compile(
    r"(?P<name>[\w.-]+)(?:\[[^\]]*\])?\s*(?P<versions>[^;]*)(?:;.*extra\s*==\s*['\"](?P<extra>[\w-]+))?"
)
_LEAST = re.compile(r">=\s*([\d.]+)")
_NAMED = 3


def installation_findings() -> Iterator[Finding]:
    """Look at Python and the packages."""
    yield ok("Python", f"{platform.python_version()} ({platform.python_implementation()}, {sys.executable})")
    yield _package()
    yield from _requirements()
    yield from _other_distribution()
    yield from _strange_files()
    yield from _namesakes()


def _package() -> Finding:
    installed = _version(DISTRIBUTION)
    if installed is None:
        return warning(
            "Scenario",
            f"{__version__} in {_PACKAGE}, which was not installed: its command and its pytest plugin are not found",
            f"install it: pip install {DISTRIBUTION}",
        )
    if installed != __version__:
        return warning(
            "Scenario",
            f"{__version__} in {_PACKAGE}, while {DISTRIBUTION} {installed} is what was installed",
            "see which of the two is meant; a folder on PYTHONPATH comes first",
        )
    return ok("Scenario", f"{__version__} ({_PACKAGE})")


def _requirements() -> Iterator[Finding]:
    found: list[str] = []
    by_extra: dict[str, list[str]] = {}
    for requirement in _required():
        if requirement["extra"]:
            by_extra.setdefault(requirement["extra"], []).append(requirement["name"])
            continue
        name, version = requirement["name"], _version(requirement["name"])
        if version is None or not _is_at_least(version, requirement["versions"]):
            what = "is not installed" if version is None else f"is {version}, which is too old"
            yield problem("Packages", f"{name} {what}", f'pip install "{name}{requirement["versions"].strip()}"')
        else:
            found.append(f"{name} {version}")
    if found:
        yield ok("Packages", ", ".join(found))
    for extra, names in sorted(by_extra.items()):
        versions = {name: _version(name) for name in names}
        if all(versions.values()):
            yield ok("Extras", f"{extra}: " + ", ".join(f"{name} {version}" for name, version in versions.items()))
        else:
            yield ok("Extras", f'{extra}: not installed (pip install "{DISTRIBUTION}[{extra}]")')


def _other_distribution() -> Iterator[Finding]:
    version = _version(OTHER_DISTRIBUTION)
    if version is not None:
        yield problem(
            "Other distribution",
            f"{OTHER_DISTRIBUTION} {version} is installed too, and both own the package `scenario`",
            _AGAIN,
        )


def _strange_files() -> Iterator[Finding]:
    """Compare the package's folder with what was installed there."""
    recorded = _recorded()
    if not recorded:
        return  # nothing of it lies there: it is used from where it is developed
    changed = [name for name, digest in recorded.items() if _digest(_PACKAGE.parent / name) != digest]
    present = {path.relative_to(_PACKAGE.parent).as_posix() for path in _PACKAGE.rglob("*.py")}
    foreign = sorted(present - recorded.keys())
    if changed:
        yield problem(
            "Files",
            f"{len(changed)} of the package's files are not those that were installed: {_some(changed)}",
            _AGAIN,
        )
    if foreign:
        yield warning("Files", f"{len(foreign)} files in {_PACKAGE} belong to something else: {_some(foreign)}", _AGAIN)


def _namesakes() -> Iterator[Finding]:
    """Look for what programs started in this folder would find in place of the package."""
    for namesake in (Path("scenario.py").absolute(), Path("scenario", "__init__.py").absolute()):
        if namesake.is_file() and not namesake.resolve().is_relative_to(_PACKAGE.resolve()):
            yield warning(
                "Namesake",
                f"{namesake} hides the package from programs that are started in this folder",
                "give it another name",
            )


def _required() -> Iterator[dict[str, str]]:
    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return
    for text in lines:
        if match := _REQUIREMENT.match(text):
            yield match.groupdict(default="")


def _recorded() -> dict[str, str]:
    """Return the digests of the package's files as they were installed, by their names."""
    try:
        files = metadata.files(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return {}
    return {
        file.as_posix(): file.hash.value
        for file in files
        if file.parts[0] == "scenario" and file.suffix == ".py" and file.hash is not None and file.hash.mode == "sha256"
    }


def _digest(file: Path) -> str:
    try:
        digest = hashlib.sha256(file.read_bytes()).digest()
    except OSError:
        return ""
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _is_at_least(version: str, wanted: str) -> bool:
    least = _LEAST.search(wanted)
    return least is None or _numbers(version) >= _numbers(least[1])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
