"""Words as Dockerfile instructions have them: quotes, backslashes, ``$VARIABLES``, and JSON arrays."""

from __future__ import annotations

import json

from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def split(text: str) -> list[str]:
    """Cut at white space that is not quoted or escaped; quotes and backslashes stay for ``expand``."""
    words, word, quote, escaped = [], "", "", False
    for char in text:
        if not quote and not escaped and char.isspace():
            if word:
                words.append(word)
            word = ""
            continue
        word += char
        if escaped:
            escaped = False
        elif char == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
    if quote:
        raise InvalidParameter(f"unexpected end of statement while looking for matching {quote}: {text}")
    return [*words, word] if word else words


def json_array(text: str) -> list[str] | None:
    """The words of ``["a", "b"]``; None when the text is not a JSON array of strings."""
    if not text.startswith("["):
        return None
    try:
        words = json.loads(text)
    except ValueError:
        return None
    return words if all(isinstance(word, str) for word in words) else None


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Take quotes and backslashes away, and put variables in: ``$NAME``, ``${NAME}``, ``:-`` and ``:+``."""
    result, _ = _Expander(text, variables).until("")
    return result


class _Expander:
    """One pass over a text."""

    def __init__(self, text: str, variables: Mapping[str, str]) -> None:
        self.text = text
        self.variables = variables
        self.at = 0

    def until(self, end: str) -> tuple[str, bool]:
        """Expand up to the character ``end``, which is passed over; says whether it was there."""
        out: list[str] = []
        quoted = False
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 1
            if char == end and not quoted:
                return "".join(out), True
            if char == '"':
                quoted = not quoted
            elif char == "'" and not quoted:
                out.append(self._literal())
            elif char == "\\":
                out.append(self._escaped(quoted=quoted))
            elif char == "$":
                out.append(self._variable())
            else:
                out.append(char)
        return "".join(out), not end

    def _literal(self) -> str:
        close = self.text.find("'", self.at)
        close = len(self.text) if close < 0 else close
        literal = self.text[self.at : close]
        self.at = close + 1
        return literal

    def _escaped(self, *, quoted: bool) -> str:
        char = self.text[self.at : self.at + 1]
        self.at += 1
        # Between double quotes a backslash is one, but for those characters that mean something there.
        return f"\\{char}" if quoted and char not in ('"', "$", "\\") else char

    def _variable(self) -> str:
        if self.text[self.at : self.at + 1] != "{":
            name = self._name()
            return self.variables.get(name, "") if name else "$"
        self.at += 1
        name = self._name()
        operator = self.text[self.at : self.at + 2]
        value = self.variables.get(name, "")
        if name and operator in (":-", ":+"):
            self.at += 2
            word, closed = self.until("}")
            if closed:
                return (value or word) if operator == ":-" else (word if value else "")
        elif name and operator[:1] == "}":
            self.at += 1
            return value
        raise InvalidParameter(f"invalid variable in: {self.text}")

    def _name(self) -> str:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in _NAME:
            self.at += 1
        return self.text[start : self.at]
