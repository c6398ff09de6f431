"""Go's strconv and time.ParseDuration: docker's command line is read with them and speaks their errors."""

from __future__ import annotations

_INT_DIGITS = {2: "01", 8: "01234567", 10: "0123456789", 16: "0123456789abcdefABCDEF"}
_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")
_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_MAX_INT64 = (1 << 63) - 1
_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}


def quote(text: str) -> str:
    """Quote as ``strconv.Quote`` does; bytes that are no UTF-8 (surrogates) become hexadecimal escapes."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(_escape(character) for character in text) + '"'


def _escape(character: str) -> str:
    code = ord(character)
    if character in _ESCAPES:
        return _ESCAPES[character]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if character == " " or (character.isprintable() and not 0xD800 <= code <= 0xDFFF):
        return character
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def parse_bool(text: str) -> bool:
    """``strconv.ParseBool``."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f"strconv.ParseBool: parsing {quote(text)}: invalid syntax")


def parse_int(text: str, bits: int = 64, base: int = 0) -> int:
    """``strconv.ParseInt``: base 0 understands 0x, 0o, 0b, a leading 0 and underscores."""
    sign, digits = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    value = _unsigned(digits, base, bits)
    if value is None:
        raise ValueError(f"strconv.ParseInt: parsing {quote(text)}: invalid syntax")
    value = -value if sign == "-" else value
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        raise ValueError(f"strconv.ParseInt: parsing {quote(text)}: value out of range")
    return value


def parse_uint(text: str, bits: int = 64, base: int = 0) -> int:
    """``strconv.ParseUint``: as :func:`parse_int`, without a sign."""
    value = _unsigned(text, base, bits)
    if value is None:
        raise ValueError(f"strconv.ParseUint: parsing {quote(text)}: invalid syntax")
    if value >= 1 << bits:
        raise ValueError(f"strconv.ParseUint: parsing {quote(text)}: value out of range")
    return value


def _unsigned(digits: str, base: int, bits: int) -> int | None:
    """Read the digits of an integer, or say with None that they are not one."""
    underscores = base == 0
    if base == 0:
        base, digits = _base_of(digits)
    if _exceeds(digits.replace("_", "") if underscores else digits, base, 1 << bits):
        return 1 << 128
    if underscores:
        if not _underscores_separate(digits):
            return None
        digits = digits.replace("_", "")
    if not digits or any(digit not in _INT_DIGITS[base] for digit in digits):
        return None
    return int(digits, base)


def _exceeds(digits: str, base: int, limit: int) -> bool:
    """Whether Go, reading digit by digit, finds the number too large before anything else wrong."""
    value = 0
    for digit in digits:
        if digit not in _INT_DIGITS[base]:
            return False
        value = value * base + int(digit, base)
        if value >= limit:
            return True
    return False


def _base_of(digits: str) -> tuple[int, str]:
    """Split the base prefix off; the prefix counts as a digit, so an underscore may follow it."""
    prefix = digits[:2].lower()
    for mark, base in (("0x", 16), ("0o", 8), ("0b", 2)):
        if prefix == mark:
            rest = digits[2:]
            return base, rest[1:] if rest.startswith("_") else rest
    if len(digits) > 1 and digits[0] == "0":
        rest = digits[1:]
        return 8, rest[1:] if rest.startswith("_") else rest
    return 10, digits


def _underscores_separate(digits: str) -> bool:
    return not (digits.startswith("_") or digits.endswith("_") or "__" in digits)


def parse_float(text: str) -> float:
    """``strconv.ParseFloat`` with 64 bits."""
    problem = ValueError(f"strconv.ParseFloat: parsing {quote(text)}: invalid syntax")
    if not text.isascii() or text.strip() != text:
        raise problem
    unsigned = text.lstrip("+-").lower()
    if unsigned in ("inf", "infinity", "nan"):
        return float(text)
    try:
        value = _hexadecimal(text, unsigned) if unsigned.startswith("0x") else float(text)
    except (ValueError, OverflowError):
        raise problem from None
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: value out of range")
    return value


def _hexadecimal(text: str, unsigned: str) -> float:
    if "p" not in unsigned or not _underscores_separate(unsigned[2:].removeprefix("_")):
        raise ValueError(text)
    return float.fromhex(text.replace("_", ""))


def parse_duration(text: str) -> int:
    """``time.ParseDuration``: ``1h30m``, ``1.5s``, ``-2ms`` as nanoseconds."""
    invalid = ValueError(f"time: invalid duration {quote(text)}")
    negative, rest = text[:1] == "-", text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    if not rest:
        raise invalid
    total = 0
    while rest:
        number, rest = _leading(rest, "0123456789.")
        whole, _, fraction = number.partition(".")
        if not (whole or fraction) or "." in fraction:
            raise invalid
        unit, rest = _until(rest, "0123456789.")
        if not unit:
            raise ValueError(f"time: missing unit in duration {quote(text)}")
        if unit not in _NANOSECONDS:
            raise ValueError(f"time: unknown unit {quote(unit)} in duration {quote(text)}")
        scale = _NANOSECONDS[unit]
        fraction = fraction[:18]
        if len(whole) > 20:
            raise invalid
        total += int(whole or "0") * scale
        total += int(fraction or "0") * scale // 10 ** len(fraction)
        if total > _MAX_INT64 + negative:
            raise invalid
    return -total if negative else total


def _leading(text: str, characters: str) -> tuple[str, str]:
    """Split off the longest start made of ``characters`` (at most one dot)."""
    end = 0
    while end < len(text) and text[end] in characters and not (text[end] == "." and "." in text[:end]):
        end += 1
    return text[:end], text[end:]


def _until(text: str, characters: str) -> tuple[str, str]:
    end = 0
    while end < len(text) and text[end] not in characters:
        end += 1
    return text[:end], text[end:]
