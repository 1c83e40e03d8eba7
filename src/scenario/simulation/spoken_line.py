"""What a person would have sent, out of what a model wrote.

Models put more around a line than the line: their reasoning, an introduction, the speaker's name, quotation marks, the
other side's answer. What is cut here is cut by form alone, and only where a person would hardly have typed it.
"""

import re

_NAMES = r"(?:think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis|inner_monologue)"
# Only where a line begins: a person may well write about such tags in the middle of one.
_REASONING = re.compile(rf"^[ \t]*<({_NAMES})>.*?(?:</\1>|\Z)", re.IGNORECASE | re.DOTALL | re.MULTILINE)
# Templates of some models open the section in the prompt, so that only its end is in the answer.
_END_OF_REASONING = re.compile(rf"\A.*(?:\n[ \t]*</{_NAMES}>|</{_NAMES}>[ \t]*\n)", re.IGNORECASE | re.DOTALL)
# The channels of gpt-oss: what the model says to others stands in the last one.
_CHANNELS = re.compile(r"\A.*<\|message\|>", re.DOTALL)
_CONTROL_TOKEN = re.compile(r"<\|(?:start|end|return|channel|message|im_start|im_end|endoftext|eot_id)\|>")

_USER = r"(?:the|a|this)\ (?:(?:simulated|human|real)\ )?user"
_LINE = r"(?:message|reply|response|line)"
_INTRODUCTION = re.compile(
    rf"""\A(?:(?:okay|ok|sure|alright)[,.!]?\ )?(?:
        (?:acting\ |playing\ |speaking\ |responding\ |replying\ )?as\ {_USER},?\ (?:i|one)\b[^:\n]{{0,60}}:
      | here(?:['\u2019]s|\ is)\ (?:
            {_USER}['\u2019]s\ (?:(?:next|first)\ )?{_LINE}
          | (?:the|my|a|one)\ (?:next|possible)\ (?:user\ )?{_LINE}
          | (?:the|my|a|one)\ (?:user\ )?{_LINE}\ (?:as|from|for|by)\ {_USER}
        )\b[^:\n]{{0,60}}:
      | {_USER}['\u2019]s\ (?:next\ )?{_LINE}:
      | {_USER}\ (?:says|replies|responds|writes|types):(?=\s*["“\n])
    )\s*""",
    re.IGNORECASE | re.VERBOSE,
)
# Capitals only: whoever types `user: bob` in lower case may be giving a name and a password.
_OWN_LABEL = re.compile(r"\A(?:\*\*|__)?(?:User|Human|USER|HUMAN|Simulated [Uu]ser)(?:\*\*|__)?:(?:\*\*|__)?\s+(?=\S)")
_OTHER_SIDE = re.compile(
    r"\n\s*(?:\*\*|__)?(?:Assistant|ASSISTANT|Agent|AGENT)(?:\*\*|__)?:(?:\*\*|__)?(?:\s.*|\Z)", re.DOTALL
)
_QUOTED = re.compile(r"""\A(?:"([^"]+)"|“([^“”]+)”|„([^„“”]+)[“”]|«([^«»]+)»|「([^「」]+)」)\Z""", re.DOTALL)


def spoken_line(answer: str) -> str:
    """Return the line itself, `""` if there is none.

    Cut are reasoning between tags or in channels, an introduction such as `As the user, I would say:`, the label
    `User:`, quotation marks around the whole, and everything from a line on that begins with `Assistant:`.
    """
    line, before = answer, None
    while line != before:
        before = line
        line = _without_reasoning(line).strip()
        line = _OTHER_SIDE.sub("", line)
        line = _OWN_LABEL.sub("", _INTRODUCTION.sub("", line))
        if quoted := _QUOTED.match(line):
            line = next(text for text in quoted.groups() if text)
    return line


def _without_reasoning(text: str) -> str:
    if "<" not in text:
        return text
    text = _CONTROL_TOKEN.sub("", _CHANNELS.sub("", text))
    return _END_OF_REASONING.sub("", _REASONING.sub("", text))
