"""Prints values as Go's fmt package does with ``%v``."""

from __future__ import annotations

from math import isnan

from pyctr.cli.template.values import NO_VALUE, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
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
