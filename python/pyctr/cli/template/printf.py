"""``fmt.Sprintf``: all the verbs of Go, their flags, widths and precisions."""

from __future__ import annotations

from pyctr.cli.golang import quote
from pyctr.cli.template.gofmt import float_text, show, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


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
        """Whether an index chose an operand."""
        self.bad_index = False
        """Whether there is none of the number that this directive asked for."""

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
        self.bad_index = False
        self.index()
        complaint = ""
        starred = self.template[self.position : self.position + 1] == "*"
        width = self.number()
        if starred and width is None:
            complaint = "%!(BADWIDTH)"
        if width is not None and width < 0:
            flags, width = flags + "-", -width
        precision = None
        if self.template[self.position : self.position + 1] == ".":
            self.position += 1
            self.index()
            starred = self.template[self.position : self.position + 1] == "*"
            precision = self.number()
            if starred and (precision is None or precision < 0):
                precision, complaint = None, f"{complaint}%!(BADPREC)"
            else:
                precision = precision or 0
        self.index()
        verb = self.template[self.position : self.position + 1]
        self.position += 1
        if not verb:
            return f"{complaint}%!(NOVERB)"
        if verb == "%":
            return f"{complaint}%"
        if self.bad_index:
            return f"{complaint}%!{verb}(BADINDEX)"
        if self.used >= len(self.values):
            return f"{complaint}%!{verb}(MISSING)"
        self.used += 1
        return complaint + Verb(verb, flags, width, precision).format(self.values[self.used - 1])

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
        if digits.isdecimal() and 1 <= int(digits[:9]) <= len(self.values):
            self.used = int(digits[:9]) - 1
        else:
            self.bad_index = True

    def number(self) -> int | None:
        """Read a width or precision: digits, or ``*`` for the next operand."""
        if self.template[self.position : self.position + 1] == "*":
            self.position += 1
            value = self.values[self.used] if self.used < len(self.values) else None
            self.used += 1
            return value if isinstance(value, int) and abs(value) <= _WIDEST else None
        digits = self.taken("0123456789")
        return min(int(digits[:9]), _WIDEST) if digits else None


_UINT64 = (1 << 64) - 1
_WIDEST = 1_000_000
"""Go refuses widths beyond this."""


class Verb:
    """A verb with its flags, ready to print values."""

    def __init__(self, verb: str, flags: str, width: int | None, precision: int | None) -> None:
        self.verb = verb
        self.flags = flags.replace("+", "") if verb == "v" else flags  # where it means names of fields
        self.width = width or 0
        self.precision = precision

    def format(self, value: Any) -> str:
        """Return one operand printed, lists and maps element by element."""
        if self.verb == "T":
            return self.pad(type_name(value))
        if self.verb == "v" and "#" in self.flags and isinstance(value, str):
            return self.pad(quote(value))
        if isinstance(value, dict):
            pairs = (f"{self.format(key)}:{self.item(value[key])}" for key in sorted(value))
            return f"map[{' '.join(pairs)}]"
        if isinstance(value, list | tuple):
            return f"[{' '.join(map(self.item, value))}]"
        text = self.scalar(value)
        return self.refusal(value) if text is None else text

    def refusal(self, value: Any) -> str:
        """Return Go's complaint about a verb that does not fit the value."""
        if value is None:
            return f"%!{self.verb}(<nil>)"
        plain = Verb("v", self.flags.replace("#", ""), self.width, self.precision)
        return f"%!{self.verb}({type_name(value)}={plain.format(value)})"

    def item(self, value: Any) -> str:
        """Return an element of a list or map printed."""
        return "<nil>" if value is None else self.format(value)

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
            return self.pad(self.quoted(cut))
        if self.verb in "xX":
            digits = self.hexadecimal(value.encode(errors="surrogateescape")[: self.precision])
            return self.pad(digits.upper() if self.verb == "X" else digits)
        return None

    def quoted(self, text: str) -> str:
        """Return text between double quotes, or with the flag # backquotes if it can be."""
        if "#" in self.flags and text.isprintable() and "`" not in text and "\ufeff" not in text:
            return f"`{text}`"
        return _ascii_quote(text) if "+" in self.flags else quote(text)

    def hexadecimal(self, data: bytes) -> str:
        """Return bytes in hexadecimal: in one, or each on its own with the flag for a space."""
        prefix = "0x" if "#" in self.flags and data else ""
        if " " not in self.flags:
            return prefix + data.hex()
        return prefix + data.hex(" ").replace(" ", f" {prefix}")

    def integer(self, value: int) -> str | None:
        bases = {"v": "d", "d": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
        if self.verb in bases:
            digits = format(abs(value), bases[self.verb])
            if self.precision is not None:
                digits = digits.rjust(self.precision, "0") if value or self.precision else ""
                if not digits:
                    return self.pad("")
            return self.pad_number(value < 0, self.prefix(), digits, zeros=self.precision is None)
        if self.verb in "cq":
            character = chr(value) if 0 <= value <= 0x10FFFF and not 0xD800 <= value < 0xE000 else "\ufffd"
            return self.pad(character if self.verb == "c" else quote_rune(character))
        if self.verb != "U":
            return None
        shown = (
            f" '{chr(value)}'"
            if "#" in self.flags and 0 <= value <= 0x10FFFF and chr(value).isprintable()
            else ""
        )
        return self.pad(f"U+{value & _UINT64:04X}{shown}", " ")

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
        return self.pad_number(repr(value).startswith("-"), "", text, zeros=True)

    def pad_number(self, negative: bool, prefix: str, digits: str, *, zeros: bool) -> str:
        """Put the sign in front, and ``zeros`` between it and the digits when the flag is there."""
        sign = "-" if negative else "+" if "+" in self.flags else " " if " " in self.flags else ""
        if zeros and "0" in self.flags and "-" not in self.flags:
            taken = len(sign) + (len(prefix) if self.verb != "O" else 0)
            digits = digits.rjust(self.width - taken, "0")
        return self.pad(sign + prefix + digits, " ")

    def pad(self, text: str, filling: str = "") -> str:
        """Make text as wide as asked for, with spaces after it, or spaces or zeros before it."""
        if "-" in self.flags:
            return text.ljust(self.width)
        return text.rjust(self.width, filling or ("0" if "0" in self.flags else " "))


def quote_rune(character: str) -> str:
    """``strconv.QuoteRune``."""
    inner = {"'": "\\'", '"': '"'}.get(character) or quote(character)[1:-1]
    return f"'{inner}'"


def _ascii_quote(text: str) -> str:
    return "".join(map(_ascii, quote(text)))


def _ascii(character: str) -> str:
    code = ord(character)
    return character if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
