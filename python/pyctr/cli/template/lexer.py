"""Cuts a template into tokens."""

from __future__ import annotations

from pyctr.cli.template.errors import ParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

KEYWORDS = (
    "block",
    "break",
    "continue",
    "define",
    "else",
    "end",
    "if",
    "nil",
    "range",
    "template",
    "with",
)
_SPACES = " \t\r\n"
_DIGITS = {"x": "0123456789abcdefABCDEF_", "o": "01234567_", "b": "01_", "": "0123456789_"}


class Token:
    """``kind`` is text, open, close, space, a keyword, or the kind of operand; ``text`` is its source."""

    __slots__ = ("kind", "line", "position", "text")

    def __init__(self, kind: str, text: str, position: int, line: int) -> None:
        self.kind = kind
        self.text = text
        self.position = position
        self.line = line


class Lexer:
    """Reads one template from start to end."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.depth = 0
        self.trims = False

    def tokens(self) -> Iterator[Token]:
        """Yield all tokens; the last is ``eof``. Raises ParseError at what is none."""
        trim = False
        while True:
            opening = self.source.find("{{", self.position)
            end = len(self.source) if opening < 0 else opening
            text = self.source[self.position : end]
            if trim:
                text = text.lstrip(_SPACES)
            start = end - len(text)
            marked = opening >= 0 and self._is_left_marker(opening + 2)
            if marked:
                text = text.rstrip(_SPACES)
            if text:
                yield self._token("text", text, start)
            self.position = end
            if opening < 0:
                yield self._token("eof", "EOF", end)
                return
            inside = opening + (4 if marked else 2)
            if self.source.startswith("/*", inside):
                trim = self._comment(inside)
                continue
            yield self._token("open", "{{", opening)
            self.position = inside
            yield from self._action()
            trim = self.trims

    def _token(self, kind: str, text: str, position: int) -> Token:
        return Token(kind, text, position, 1 + self.source.count("\n", 0, position))

    def _problem(self, reason: str) -> ParseError:
        return ParseError(1 + self.source.count("\n", 0, self.position), reason)

    def _peek(self, offset: int = 0) -> str:
        return self.source[self.position + offset : self.position + offset + 1]

    def _is_left_marker(self, at: int) -> bool:
        return self.source[at : at + 1] == "-" and self.source[at + 1 : at + 2] in tuple(_SPACES)

    def _at_right_marker(self) -> bool:
        return self._peek() in tuple(_SPACES) and self.source.startswith("-}}", self.position + 1)

    def _comment(self, inside: int) -> bool:
        """Skip a comment; tell whether it trims the text after it."""
        end = self.source.find("*/", inside + 2)
        if end < 0:
            raise self._problem("unclosed comment")
        self.position = end + 2
        if self._at_right_marker():
            self.position += 4
            return True
        if not self.source.startswith("}}", self.position):
            raise self._problem("comment ends before closing delimiter")
        self.position += 2
        return False

    def _action(self) -> Iterator[Token]:
        self.depth = 0
        while True:
            start = self.position
            if self._at_right_marker() or self.source.startswith("}}", start):
                if self.depth:
                    raise self._problem("unclosed left paren")
                self.trims = self._at_right_marker()
                self.position += 4 if self.trims else 2
                yield self._token("close", "}}", start)
                return
            kind = self._scan()
            yield self._token(kind, self.source[start : self.position], start)

    def _scan(self) -> str:  # noqa: PLR0911 - one per kind
        """Move past one token inside an action and return its kind."""
        character = self._peek()
        if not character:
            raise self._problem("unclosed action")
        if character in _SPACES:
            return self._space()
        if character in "\"'`":
            return self._quoted(character)
        if character == "$":
            return self._name("variable")
        if character == "." and not ("0" <= self._peek(1) <= "9"):
            return self._name("field")
        if character in "+-." or "0" <= character <= "9":
            return self._number()
        if _is_alphanumeric(character):
            return self._word()
        return self._sign(character)

    def _sign(self, character: str) -> str:
        self.position += 1
        if character == "=":
            return "assign"
        if character == ":":
            if self._peek() != "=":
                raise self._problem("expected :=")
            self.position += 1
            return "declare"
        if character == "|":
            return "pipe"
        if character == "(":
            self.depth += 1
            return "left"
        if character == ")":
            self.depth -= 1
            if self.depth < 0:
                raise self._problem("unexpected right paren")
            return "right"
        if " " < character <= "~":
            return "char"
        raise self._problem(f"unrecognized character in action: {code_point(character)}")

    def _space(self) -> str:
        while self._peek() and self._peek() in _SPACES and not self._at_right_marker():
            self.position += 1
        return "space"

    def _quoted(self, quote: str) -> str:
        names = {'"': "quoted string", "'": "character constant", "`": "raw quoted string"}
        position = self.position + 1
        while position < len(self.source):
            character = self.source[position]
            if character == "\n" and quote != "`":
                break
            if character == "\\" and quote != "`":
                position += 1
                if self.source[position : position + 1] in ("", "\n"):
                    break
            elif character == quote:
                self.position = position + 1
                return "char constant" if quote == "'" else "string"
            position += 1
        raise self._problem(f"unterminated {names[quote]}")

    def _name(self, kind: str) -> str:
        """Read ``.Name`` or ``$name``; alone they are the dot and the root variable."""
        self.position += 1
        start = self.position
        self._skip_alphanumeric()
        self._check_terminator()
        return "dot" if kind == "field" and self.position == start else kind

    def _word(self) -> str:
        start = self.position
        self._skip_alphanumeric()
        self._check_terminator()
        word = self.source[start : self.position]
        if word in KEYWORDS:
            return word
        return "bool" if word in ("true", "false") else "identifier"

    def _skip_alphanumeric(self) -> None:
        while self._peek() and _is_alphanumeric(self._peek()):
            self.position += 1

    def _check_terminator(self) -> None:
        character = self._peek()
        if character in ("", *_SPACES, ".", ",", "|", ":", ")", "("):
            return
        if not self.source.startswith("}}", self.position):
            raise self._problem(f"bad character {code_point(character)}")

    def _number(self) -> str:
        start = self.position
        if self._peek() in "+-":
            self.position += 1
        base = self._peek(1).lower() if self._peek() == "0" and self._peek(1).lower() in _DIGITS else ""
        self.position += 2 if base else 0
        self._skip(_DIGITS[base])
        if self._peek() == ".":
            self.position += 1
            self._skip(_DIGITS[base])
        if (base == "" and self._peek() in ("e", "E")) or (base == "x" and self._peek() in ("p", "P")):
            self.position += 1
            if self._peek() in ("+", "-"):
                self.position += 1
            self._skip(_DIGITS[""])
        if self._peek() and _is_alphanumeric(self._peek()):
            from pyctr.cli.golang import quote

            raise self._problem(f"bad number syntax: {quote(self.source[start : self.position + 1])}")
        return "number"

    def _skip(self, characters: str) -> None:
        while self._peek() and self._peek() in characters:
            self.position += 1


def _is_alphanumeric(character: str) -> bool:
    return character == "_" or character.isalpha() or character.isdecimal()


def code_point(character: str) -> str:
    """Return a character as Go's ``%#U`` does: ``U+0041 'A'``."""
    shown = f" '{character}'" if character.isprintable() else ""
    return f"U+{ord(character):04X}{shown}" if character else "U+FFFFFFFFFFFFFFFF"
