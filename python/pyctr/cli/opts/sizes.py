"""Byte sizes (``512m``, ``1.5g``) and fractions of processors, as docker's go-units and opts read them."""

from __future__ import annotations

from math import isnan

from pyctr.cli.golang import parse_float, parse_int

_MULTIPLIERS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}
_MAX_INT64 = (1 << 63) - 1


def bytes_of(text: str) -> int:
    """Read a size with an optional binary unit (k, kb, kib, … p); bytes."""
    cut = max(text.rfind(character) for character in "0123456789. ")
    if cut < 0:
        raise ValueError(f"invalid size: '{text}'")
    number = text[:cut] if text[cut] == " " else text[: cut + 1]
    suffix = text[cut + 1 :]
    size = parse_float(number)
    if size < 0:
        raise ValueError(f"invalid size: '{text}'")
    return _int64(size * _multiplier(suffix))


def _multiplier(suffix: str) -> int:
    """``""`` and ``b`` are 1; otherwise one of k m g t p, optionally followed by ``b`` or ``ib``."""
    unit = suffix.lower()
    if unit in ("", "b"):
        return 1
    if len(suffix) > 3:
        raise ValueError(f"invalid suffix: '{suffix}'")
    if unit[0] not in _MULTIPLIERS or unit[1:] not in ("", "b", "ib"):
        raise ValueError(f"invalid suffix: '{unit}'")
    return _MULTIPLIERS[unit[0]]


def _int64(size: float) -> int:
    if isnan(size) or size > _MAX_INT64:
        raise ValueError("value out of range")
    return int(size)


def swap_bytes_of(text: str) -> int:
    """Read a size where -1 means unlimited; bytes."""
    return -1 if text == "-1" else bytes_of(text)


def nano_cpus(text: str) -> int:
    """Read a number of processors (``0.5``, ``1/3``, ``1e-3``); billionths of a processor."""
    numerator, denominator = _rational(text)
    nanos, rest = divmod(numerator * 1_000_000_000, denominator)
    if rest:
        raise ValueError("value is too precise")
    if abs(nanos) > _MAX_INT64:
        raise ValueError("value out of range")
    return nanos


def _rational(text: str) -> tuple[int, int]:
    """Read a fraction or a decimal number exactly."""
    problem = ValueError(f"failed to parse {text} as a rational number")
    over, slash, under = text.partition("/")
    try:
        if slash:
            if under[:1] in ("+", "-"):
                raise problem
            pair = parse_int(over), parse_int(under)
        else:
            pair = _decimal(text)
    except ValueError:
        raise problem from None
    if pair[1] == 0:
        raise problem
    return pair


def _decimal(text: str) -> tuple[int, int]:
    if text.lstrip("+-").lower().startswith(("0x", "0b", "0o")):
        return parse_int(text), 1
    mantissa, _, exponent = text.lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole.lstrip("+-") + fraction
    power = parse_int(exponent, base=10) if "e" in text.lower() else 0
    if not digits.replace("_", "").isdecimal() or not text.isascii() or abs(power) > 100 or len(digits) > 100:
        raise ValueError(text)
    parse_float(mantissa)  # the signs and underscores are where Go allows them
    value = int(digits.replace("_", "")) * (-1 if whole.startswith("-") else 1)
    power -= len(fraction.replace("_", ""))
    return (value * 10**power, 1) if power >= 0 else (value, 10**-power)
