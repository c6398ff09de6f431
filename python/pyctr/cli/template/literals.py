"""The literals of Go: strings, characters and numbers."""

from __future__ import annotations

from pyctr.cli.golang import parse_float, parse_int, quote

_SIMPLE = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
}
_CODED = {"x": 2, "u": 4, "U": 8}


def unquote(text: str) -> str:
    """Return what a quoted or raw string stands for; ValueError when an escape is wrong."""
    if text[0] == "`":
        return text[1:-1].replace("\r", "")
    return _unescape(text[1:-1], text[0])


def _unescape(body: str, mark: str) -> str:
    out, position = bytearray(), 0
    while position < len(body):
        if body[position] != "\\":
            out += body[position].encode(errors="surrogateescape")
            position += 1
            continue
        piece, position = _escape(body, position + 1, mark)
        out += piece
    return out.decode(errors="surrogateescape")


def _escape(body: str, at: int, mark: str) -> tuple[bytes, int]:
    """Read the escape whose letter is ``at``; give its bytes and where it ends."""
    letter = body[at : at + 1]
    if letter in _SIMPLE and not (letter in "'\"" and letter != mark):
        return _SIMPLE[letter].encode(), at + 1
    if letter in _CODED:
        digits = body[at + 1 : at + 1 + _CODED[letter]]
        code = _code(digits, 16, _CODED[letter])
        if letter == "x":
            return bytes([code]), at + 3
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            raise ValueError("invalid syntax")
        return chr(code).encode(), at + 1 + _CODED[letter]
    code = _code(body[at : at + 3], 8, 3)
    if code > 255:
        raise ValueError("invalid syntax")
    return bytes([code]), at + 3


def _code(digits: str, base: int, length: int) -> int:
    allowed = "01234567" if base == 8 else "0123456789abcdefABCDEF"
    if len(digits) != length or any(digit not in allowed for digit in digits):
        raise ValueError("invalid syntax")
    return int(digits, base)


def number(text: str) -> int | float:
    """Return the value of a number or of a character constant; ValueError in Go's words."""
    if text[0] == "'":
        character = _unescape(text[1:-1], "'")
        if len(character) != 1:
            raise ValueError(f"malformed character constant: {text}")
        return ord(character)
    hexadecimal = text.lstrip("+-").lower().startswith("0x")
    float_signs = ".pP" if hexadecimal else ".eE"
    try:
        if any(sign in text for sign in float_signs):
            return parse_float(text)
        value = parse_int(text, 65)
    except ValueError:
        raise ValueError(f"bad number syntax: {quote(text)}") from None
    if not -(1 << 63) <= value < 1 << 63:
        raise ValueError(f"integer overflow: {quote(text)}")
    return value
