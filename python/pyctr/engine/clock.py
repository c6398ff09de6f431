"""Times as the documents have them: RFC 3339 with nanoseconds, in UTC, without importing ``datetime``."""

from __future__ import annotations

import time

from pyctr.errors import InvalidParameter

NEVER = "0001-01-01T00:00:00Z"
SECOND = 1_000_000_000

_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}


def rfc3339(nano: int) -> str:
    """``2026-11-23T21:30:00.123456789Z``; trailing zeros go, as Go has it. 0 is ``NEVER``."""
    return utc(nano) if nano else NEVER


def utc(nano: int) -> str:
    """The same, with 1970 for 0."""
    seconds, fraction = divmod(nano, SECOND)
    year, month, day, hour, minute, second, *_ = time.gmtime(seconds)
    text = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
    return f"{text}.{fraction:09}".rstrip("0").rstrip(".") + "Z"


def parse_rfc3339(text: str) -> int:
    """Nanoseconds since 1970; a date alone is fine, and no offset means UTC. ValueError if malformed."""
    if text == NEVER:
        return 0
    date, _, rest = text.replace("t", "T").partition("T")
    year, month, day = (int(part) for part in date.split("-"))
    clock, offset = _split_offset(rest)
    whole, _, fraction = clock.partition(".")
    hour, minute, second = ([int(part) for part in whole.split(":")] + [0, 0, 0])[:3] if whole else (0, 0, 0)
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 61):
        raise ValueError(f"no such time: {text}")
    seconds = _days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset
    return seconds * SECOND + (int(fraction.ljust(9, "0")[:9]) if fraction else 0)


def parse_duration(text: str) -> int:
    """Go's durations, ``1h30m`` or ``1.5s``, in nanoseconds. ValueError if malformed."""
    total, number, rest = 0.0, "", text
    if not rest:
        raise ValueError("an empty duration")
    while rest:
        length = next((at for at, char in enumerate(rest) if not (char.isdigit() or char == ".")), len(rest))
        number, rest = rest[:length], rest[length:]
        unit = next((unit for unit in ("ns", "us", "µs", "ms", "s", "m", "h") if rest.startswith(unit)), "")
        if not number or not unit:
            raise ValueError(f"not a duration: {text}")
        total += float(number) * _UNITS[unit]
        rest = rest[len(unit) :]
    return int(total)


def parse_moment(name: str, text: str | None) -> int | None:
    """What ``--since`` and ``--until`` take: RFC 3339, a Unix time, or a duration back from now.

    A time without a zone is a local one.
    """
    if text is None or text == "":
        return None
    try:
        if "-" in text[1:]:
            return _calendar(text)
        if text[-1].isdecimal():
            return _unix(text)
        span = parse_duration(text[1:] if text[0] in "+-" else text)
        return time.time_ns() - (-span if text[0] == "-" else span)
    except (ValueError, OverflowError):
        raise InvalidParameter(
            f'invalid value for "{name}": failed to parse value as time or duration: "{text}"'
        ) from None


def _calendar(text: str) -> int:
    date, rest = text[:10], text[10:]
    zoned = any(sign in rest for sign in "zZ+-")
    nano = parse_rfc3339(text if rest[:1] in ("", "T", "t") else f"{date}T00:00:00{rest}")
    if zoned:
        return nano
    seconds, fraction = divmod(nano, SECOND)
    return int(time.mktime((*time.gmtime(seconds)[:8], -1))) * SECOND + fraction


def _unix(text: str) -> int:
    seconds, _, fraction = text.partition(".")
    if len(seconds) > 18:
        raise ValueError(f"no such time: {text}")
    return int(seconds) * SECOND + (int(fraction.ljust(9, "0")[:9]) if fraction else 0)


def _split_offset(text: str) -> tuple[str, int]:
    """Cut ``Z``, ``+01:00`` or nothing off a time of day; gives seconds east of UTC."""
    if text.endswith(("Z", "z")):
        return text[:-1], 0
    for sign, factor in (("+", 1), ("-", -1)):
        clock, found, offset = text.partition(sign)
        if found:
            hours, _, minutes = offset.partition(":")
            return clock, factor * (int(hours) * 3600 + int(minutes or 0) * 60)
    return text, 0


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar."""
    if month <= 2:
        year, month = year - 1, month + 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month - 457) // 5 + day - 719469


_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_HALF_HOUR = 1800
# Up to how many seconds, the words, the unit, and what is added first to round.
_SPANS = (
    (1, "Less than a second", 1, 0),
    (2, "1 second", 1, 0),
    (_MINUTE, "{} seconds", 1, 0),
    (2 * _MINUTE, "About a minute", 1, 0),
    (_HOUR, "{} minutes", _MINUTE, 0),
    (2 * _HOUR - _HALF_HOUR, "About an hour", 1, 0),
    (48 * _HOUR - _HALF_HOUR, "{} hours", _HOUR, _HALF_HOUR),
    (14 * _DAY - _HALF_HOUR, "{} days", _DAY, 0),
    (60 * _DAY - _HALF_HOUR, "{} weeks", 7 * _DAY, 0),
    (730 * _DAY - _HALF_HOUR, "{} months", 30 * _DAY, 0),
)


def human_duration(seconds: int) -> str:
    """Docker's words for a number of seconds."""
    for limit, words, unit, rounding in _SPANS:
        if seconds < limit:
            return words.format((seconds + rounding) // unit)
    return f"{seconds // (365 * _DAY)} years"
