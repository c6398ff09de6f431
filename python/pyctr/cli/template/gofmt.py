"""Prints values as Go's fmt package does: ``%v`` and the other verbs."""

from __future__ import annotations

from math import isnan

from pyctr.cli.golang import quote
from pyctr.cli.template.values import NO_VALUE, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def type_name(value: Any) -> str:
    """Return the Go type a value would have."""
    if value is None or value is NO_VALUE:
        return "<nil>"
    if isinstance(value, Record):
        return value.kind
    for python, go in (
        (bool, "bool"),
        (int, "int"),
        (float, "float64"),
        (str, "string"),
        (dict, "map[string]interface {}"),
        (list, "[]interface {}"),
        (tuple, "[]interface {}"),
    ):
        if isinstance(value, python):
            return go
    return type(value).__name__


def show(value: Any) -> str:  # noqa: PLR0911 - one per type
    """Return a value as ``%v`` prints it: ``map[a:b c:d]``, ``[a b]``, ``true``, ``<nil>``."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "<nil>"
    if isinstance(value, float):
        return float_text(value, "g", -1)
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{show(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list | tuple):
        return "[" + " ".join(map(show, value)) + "]"
    if isinstance(value, Record):
        return show(value.as_dict())
    return str(value)


def sprint(*values: Any) -> str:
    """``fmt.Sprint``: a space between two values that are no strings."""
    out = ""
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            out += " "
        out += show(value)
    return out


def sprintln(*values: Any) -> str:
    """``fmt.Sprintln``: always a space between, a line's end after."""
    return " ".join(map(show, values)) + "\n"


def float_text(value: float, verb: str, precision: int) -> str:
    """``strconv.FormatFloat`` with 64 bits; precision -1 is the shortest that reads back the same."""
    if isnan(value):
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    if precision >= 0:
        return format(value, f".{precision}{verb}")
    sign = "-" if repr(value).startswith("-") else ""
    digits, power = _shortest(abs(value))
    if verb == "f" or (verb == "g" and -4 <= power < 6) or (verb == "g" and value == 0):
        return sign + _plain(digits, power)
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{'-' if power < 0 else '+'}{abs(power):02d}"


def _shortest(value: float) -> tuple[str, int]:
    """Return the fewest digits that name the number, and the power of ten of the first of them."""
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    leading = len(whole + fraction) - len(digits)
    power = len(whole) - 1 - leading + int(exponent or 0)
    return digits.rstrip("0") or "0", power if digits else 0


def _plain(digits: str, power: int) -> str:
    if power < 0:
        return "0." + "0" * (-power - 1) + digits
    whole = digits[: power + 1].ljust(power + 1, "0")
    fraction = digits[power + 1 :]
    return f"{whole}.{fraction}" if fraction else whole


def sprintf(template: str, *values: Any) -> str:
    """``fmt.Sprintf``."""
    return _Printf(template, values).run()


class _Printf:
    """One call of Sprintf: the template, the operands and how far each has been used."""

    def __init__(self, template: str, values: Sequence[Any]) -> None:
        self.template = template
        self.values = values
        self.position = 0
        self.used = 0
        self.reordered = False

    def run(self) -> str:
        out = ""
        while self.position < len(self.template):
            end = self.template.find("%", self.position)
            if end < 0:
                out += self.template[self.position :]
                break
            out += self.template[self.position : end]
            self.position = end + 1
            out += self.directive()
        if not self.reordered and self.used < len(self.values):
            extra = (
                f"{type_name(value)}={show(value)}" if value is not None else "<nil>"
                for value in self.values[self.used :]
            )
            out += f"%!(EXTRA {', '.join(extra)})"
        return out

    def directive(self) -> str:
        """Carry out the verb after a percent sign."""
        flags = self.taken("+-# 0")
        self.index()
        width = self.number()
        if width is not None and width < 0:
            flags, width = flags + "-", -width
        precision = None
        if self.template[self.position : self.position + 1] == ".":
            self.position += 1
            self.index()
            precision = self.number()
            precision = 0 if precision is None else precision
        self.index()
        verb = self.template[self.position : self.position + 1]
        self.position += 1
        if not verb:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        if self.used >= len(self.values):
            return f"%!{verb}(BADINDEX)" if self.reordered else f"%!{verb}(MISSING)"
        self.used += 1
        return Verb(verb, flags, width, precision).format(self.values[self.used - 1])

    def taken(self, characters: str) -> str:
        start = self.position
        while self.template[self.position : self.position + 1] in tuple(characters):
            self.position += 1
        return self.template[start : self.position]

    def index(self) -> None:
        """Read ``[n]``, which chooses the operand to use next."""
        if self.template[self.position : self.position + 1] != "[":
            return
        end = self.template.find("]", self.position)
        digits = self.template[self.position + 1 : end] if end > 0 else ""
        self.reordered = True
        self.position = end + 1 if end > 0 else self.position + 1
        within = digits.isdecimal() and 1 <= int(digits[:9]) <= len(self.values)
        self.used = int(digits[:9]) - 1 if within else len(self.values)

    def number(self) -> int | None:
        """Read a width or precision: digits, or ``*`` for the next operand."""
        if self.template[self.position : self.position + 1] == "*":
            self.position += 1
            value = self.values[self.used] if self.used < len(self.values) else None
            self.used += 1
            return value if isinstance(value, int) and abs(value) <= _WIDEST else None
        digits = self.taken("0123456789")
        return min(int(digits[:9]), _WIDEST) if digits else None


_WIDEST = 1_000_000
"""Go refuses widths beyond this."""


class Verb:
    """A verb with its flags, ready to print values."""

    def __init__(self, verb: str, flags: str, width: int | None, precision: int | None) -> None:
        self.verb = verb
        self.flags = flags
        self.width = width or 0
        self.precision = precision

    def format(self, value: Any) -> str:
        """Return one operand printed, lists and maps element by element."""
        if self.verb == "T":
            return self.pad(type_name(value))
        if self.verb == "v" and "#" in self.flags and isinstance(value, str):
            return self.pad(quote(value))
        if isinstance(value, dict):
            pairs = (f"{self.format(key)}:{self.format(value[key])}" for key in sorted(value))
            return f"map[{' '.join(pairs)}]"
        if isinstance(value, list | tuple):
            return f"[{' '.join(map(self.format, value))}]"
        text = self.scalar(value)
        if text is not None:
            return text
        return f"%!{self.verb}({_with_type(value)})"

    def scalar(self, value: Any) -> str | None:
        """Print a single value, or return None when the verb does not fit it."""
        if value is None:
            return self.pad("<nil>") if self.verb == "v" else None
        if isinstance(value, bool):
            return self.pad(show(value)) if self.verb in "vt" else None
        if isinstance(value, int):
            return self.integer(value)
        if isinstance(value, float):
            return self.float(value)
        if isinstance(value, str):
            return self.string(value)
        return self.pad(show(value)) if self.verb in "vs" else None

    def string(self, value: str) -> str | None:
        cut = value if self.precision is None else value[: self.precision]
        if self.verb in "vs":
            return self.pad(cut)
        if self.verb == "q":
            return self.pad(_ascii_quote(cut) if "+" in self.flags else quote(cut))
        if self.verb in "xX":
            digits = value.encode(errors="surrogateescape").hex()
            digits = f"0x{digits}" if "#" in self.flags else digits
            return self.pad(digits.upper() if self.verb == "X" else digits)
        return None

    def integer(self, value: int) -> str | None:
        bases = {"v": "d", "d": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
        if self.verb in bases:
            digits = format(abs(value), bases[self.verb])
            if self.precision is not None:
                digits = digits.rjust(self.precision, "0")
            return self.pad_number(value < 0, self.prefix(), digits)
        if self.verb in "cq" and 0 <= value <= 0x10FFFF:
            return self.pad(chr(value) if self.verb == "c" else f"'{chr(value)}'")
        return self.pad(f"U+{value:04X}") if self.verb == "U" else None

    def prefix(self) -> str:
        if self.verb == "O":
            return "0o"
        return {"x": "0x", "X": "0X", "o": "0", "b": "0b"}.get(self.verb, "") if "#" in self.flags else ""

    def float(self, value: float) -> str | None:
        verb = {"v": "g", "F": "f"}.get(self.verb, self.verb)
        if verb in "xX":
            return None
        if verb not in "eEfgG":
            return None
        precision = self.precision
        if precision is None:
            precision = -1 if verb in "gG" else 6
        text = float_text(abs(value), verb.lower(), precision)
        text = text.upper() if verb in "EG" else text
        return self.pad_number(repr(value).startswith("-"), "", text)

    def pad_number(self, negative: bool, prefix: str, digits: str) -> str:
        """Put the sign in front, and zeros between it and the digits when asked for."""
        sign = "-" if negative else "+" if "+" in self.flags else " " if " " in self.flags else ""
        if "0" in self.flags and "-" not in self.flags and (self.precision is None or "." in digits):
            digits = digits.rjust(self.width - len(sign) - len(prefix), "0")
        return self.pad(sign + prefix + digits)

    def pad(self, text: str) -> str:
        if "-" in self.flags:
            return text.ljust(self.width)
        return text.rjust(self.width)


def _with_type(value: Any) -> str:
    return "<nil>" if value is None else f"{type_name(value)}={show(value)}"


def _ascii_quote(text: str) -> str:
    return "".join(map(_ascii, quote(text)))


def _ascii(character: str) -> str:
    code = ord(character)
    return character if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
