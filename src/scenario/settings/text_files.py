"""Text files that people write."""

from pathlib import Path

from scenario.errors import ConfigurationError


def bytes_of(file: Path) -> bytes:
    """Return what is in a file.

    Raises:
        ConfigurationError: If it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error.strerror or error}", "make it readable, or remove it"
        ) from error


def text_of(raw: bytes, file: Path) -> str:
    """Return what was in a file as text.

    Raises:
        ConfigurationError: If it is not UTF-8.
    """
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{place_in(file, line)}: this is not UTF-8", "save the file as UTF-8") from error


def place_in(file: Path | None, line: int | None) -> str:
    """Return a place in a file, for people; without the line if that is not known."""
    return f"{file}, line {line}" if line else str(file)
