r"""The format of `.env` files: variables for the environment, one after the other.

A line is `NAME=value`, with `export` before it or not, or a comment after `#`. A value without quotes ends at a `#`
with a space before it, or at the end of the line. In double quotes `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are
escapes; in single ones all but `\'` and `\\` stands for itself; both may go over several lines. Outside of single
quotes, `${NAME}` is the environment's variable, else one from above, and `${NAME:-text}` has a text for when there is
neither.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_BLANK = re.compile(r"(?:[^\S\n]*(?:#[^\n]*)?\n)*[^\S\n]*(?:#[^\n]*)?")
_SPACE = re.compile(r"[^\S\n]*")
_NAME = re.compile(r"(?:export[^\S\n]+)?([^\s=#'\"`]+)[^\S\n]*")
_QUOTED = {
    "'": re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL),
    '"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL),
}
_BARE = re.compile(r"[^\n]*")
_COMMENT = re.compile(r"(?:^|[^\S\n])#.*")
_REST = re.compile(r"[^\S\n]*(?:[^\S\n]#[^\n]*)?(?=\n|\Z)")
_ESCAPE_OR_REFERENCE = re.compile(r"\\(?P<escape>.)|\$\{(?P<name>[^}:\s]+)(?::-(?P<default>[^}]*))?\}", re.DOTALL)
_REFERENCE = re.compile(r"(?P<escape>(?!))|\$\{(?P<name>[^}:\s]+)(?::-(?P<default>[^}]*))?\}")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the file.

    Attributes:
        value: Its value.
        line: The line it begins in, from 1.
    """

    value: str
    line: int


class DotenvError(ValueError):
    """The file breaks the format.

    Attributes:
        line: In which line, from 1.
        what: In which way.
    """

    def __init__(self, line: int, what: str) -> None:
        super().__init__(line, what)
        self.line = line
        self.what = what


def parse_dotenv(text: str, environment: Mapping[str, str]) -> dict[str, Variable]:
    """Return the variables of a `.env` file; of two with one name, the later.

    Args:
        text: What is in the file.
        environment: What references are looked up in first.

    Raises:
        DotenvError: If the format is broken.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    variables: dict[str, Variable] = {}
    line, counted = 1, 0
    position = _after(_BLANK, text, 0)
    while position < len(text):
        line, counted = line + text.count("\n", counted, position), position
        found = _NAME.match(text, position)
        if found is None:
            raise DotenvError(line, "it does not begin with the name of a variable")
        name, position = found[1], found.end()
        if text[position : position + 1] == "=":
            value, position = _value(text, position + 1, line, variables, environment)
            if "\0" in name + value:
                raise DotenvError(line, "it holds a NUL, which no variable can")
            variables[name] = Variable(value, line)
        elif not (found[0].startswith("export") and _REST.match(text, position)):
            # `export NAME` alone says nothing that is not so already.
            raise DotenvError(line, f"there is no = after {name!r}")
        position = _after(_BLANK, text, position + 1)
    return variables


def _value(
    text: str, position: int, line: int, variables: Mapping[str, Variable], environment: Mapping[str, str]
) -> tuple[str, int]:
    start = _after(_SPACE, text, position)
    quote = text[start : start + 1]
    if quote not in _QUOTED:
        bare = _BARE.match(text, position)
        assert bare is not None  # it matches everything
        value = _COMMENT.sub("", bare[0], count=1).strip()
        return _filled(_REFERENCE, value, variables, environment), bare.end()
    quoted = _QUOTED[quote].match(text, start)
    if quoted is None:
        raise DotenvError(line, f"the quote {quote} that begins the value has no end")
    rest = _REST.match(text, quoted.end())
    if rest is None:
        raise DotenvError(line + quoted[0].count("\n"), f"something follows the closing {quote}")
    if quote == "'":
        return re.sub(r"\\([\\'])", r"\1", quoted[1]), rest.end()
    return _filled(_ESCAPE_OR_REFERENCE, quoted[1], variables, environment), rest.end()


def _filled(
    pattern: re.Pattern[str], value: str, variables: Mapping[str, Variable], environment: Mapping[str, str]
) -> str:
    def fill(found: re.Match[str]) -> str:
        if found["escape"] is not None:
            return _ESCAPES.get(found["escape"], found[0])
        known = environment.get(found["name"])
        if known is None and found["name"] in variables:
            known = variables[found["name"]].value
        return known or found["default"] or ""

    return pattern.sub(fill, value)


def _after(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return position if found is None else found.end()
