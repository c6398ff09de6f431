"""``--log-opt``: the options of the json-file driver, checked in docker's words."""

from __future__ import annotations

from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_KNOWN = ("max-size", "max-file", "labels", "env", "tag", "compress", "mode", "max-buffer-size")
_FAILED = "failed to initialize logging driver"
_UNITS: dict[str, int] = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "p": 10**15}
_TRUE, _FALSE = ("1", "t", "T", "true", "TRUE", "True"), ("0", "f", "F", "false", "FALSE", "False")


def log_options(options: Mapping[str, str]) -> tuple[int, int]:
    """``max-size`` in bytes (0: no limit) and ``max-file`` of a json-file log."""
    for key in options:
        if key not in _KNOWN:
            raise InvalidParameter(f"unknown log opt '{key}' for json-file log driver")
    _check_mode(options)
    limit, count = _limit(options.get("max-size")), _count(options.get("max-file", "1"))
    if _compress(options.get("compress", "0")) and (count == 1 or not limit):
        raise InvalidParameter(
            f"{_FAILED}: compress cannot be true when max-file is less than 2 or max-size is not set"
        )
    return limit, count


def _check_mode(options: Mapping[str, str]) -> None:
    """Our supervisors never let a program wait for its log, so either mode will do."""
    mode = options.get("mode", "")
    if mode not in ("", "blocking", "non-blocking"):
        raise InvalidParameter(f"logger: logging mode not supported: {mode}")
    if "max-buffer-size" in options:
        if mode != "non-blocking":
            raise InvalidParameter(
                "logger: max-buffer-size option is only supported with 'mode=non-blocking'"
            )
        _bytes(options["max-buffer-size"], "error parsing option max-buffer-size")


def _limit(text: str | None) -> int:
    if text in (None, "-1"):
        return 0
    limit = _bytes(text or "", _FAILED)
    if limit <= 0:
        raise InvalidParameter(f"{_FAILED}: max-size must be a positive number")
    return limit


def _bytes(text: str, where: str) -> int:
    """Docker's go-units for people: ``10m`` is ten million, a fraction may stand before the unit."""
    number = text.lower().rstrip("b").rstrip("i").strip()
    factor = _UNITS.get(number[-1:], 1)
    digits = number if factor == 1 else number[:-1].rstrip()
    whole, _, fraction = digits.partition(".")
    if not (whole + fraction).isdecimal() or not digits.isascii() or len(digits) > 18:
        raise InvalidParameter(f"{where}: invalid size: '{text}'")
    parts: int = 10 ** len(fraction)
    return int(whole or "0") * factor + int(fraction or "0") * factor // parts


def _count(text: str) -> int:
    sign, digits = (text[:1], text[1:]) if text[:1] in ("+", "-") else ("", text)
    if not digits.isdecimal() or not digits.isascii() or len(digits) > 18:
        raise InvalidParameter(f'{_FAILED}: strconv.Atoi: parsing "{text}": invalid syntax')
    if sign == "-" or int(digits) < 1:
        raise InvalidParameter(f"{_FAILED}: max-file cannot be less than 1")
    return int(digits)


def _compress(text: str) -> bool:
    if text not in _TRUE and text not in _FALSE:
        raise InvalidParameter(f'{_FAILED}: strconv.ParseBool: parsing "{text}": invalid syntax')
    return text in _TRUE
