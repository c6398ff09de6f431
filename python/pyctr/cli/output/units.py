"""Sizes and spans of time for people, as docker's go-units writes them."""

from __future__ import annotations

from time import localtime, strftime, time

_DECIMAL = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")


def human_size(size: float, digits: int = 4) -> str:
    """Return bytes in powers of 1000: ``1.5MB``."""
    return _scaled(size, 1000.0, _DECIMAL, digits)


def bytes_size(size: float) -> str:
    """Return bytes in powers of 1024: ``1.5MiB``."""
    return _scaled(size, 1024.0, _BINARY, 4)


def _scaled(size: float, base: float, names: tuple[str, ...], digits: int) -> str:
    unit = 0
    while size >= base and unit < len(names) - 1:
        size /= base
        unit += 1
    return f"{size:.{digits}g}{names[unit]}"


def human_duration(seconds: float) -> str:
    """Return a span of time roughly: ``About a minute``, ``3 days``."""
    whole = int(seconds)
    minutes = int(seconds / 60)
    hours = int(seconds / 3600 + 0.5)
    if whole < 60:
        return "Less than a second" if whole < 1 else "1 second" if whole == 1 else f"{whole} seconds"
    if minutes < 60:
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    if hours < 48:
        return "About an hour" if hours == 1 else f"{hours} hours"
    days = hours // 24
    for limit, length, name in ((14, 1, "days"), (60, 7, "weeks"), (730, 30, "months")):
        if days < limit:
            return f"{days // length} {name}"
    return f"{int(seconds / 3600) // 24 // 365} years"


def ago(created: int) -> str:
    """Return how long ago a Unix time was: ``2 hours ago``."""
    return f"{human_duration(time() - created)} ago"


def timestamp(created: int) -> str:
    """Return a Unix time as Go prints it: ``2024-01-31 12:00:00 +0000 UTC``."""
    return strftime("%Y-%m-%d %H:%M:%S %z %Z", localtime(created))


def short_id(text: str) -> str:
    """Return the first twelve digits of an id, without the name of its hash."""
    return text.partition(":")[2][:12] if ":" in text else text[:12]


def ellipsis(text: str, width: int) -> str:
    """Return text cut to ``width`` columns, the last of which then is ``…``."""
    if columns(text) <= width:
        return text
    kept, used = "", 0
    for character in text:
        used += columns(character)
        if used > width - 1:
            break
        kept += character
    return kept + "…"


def columns(text: str) -> int:
    """Return how many columns of a terminal text takes: wide characters take two."""
    if text.isascii():
        return len(text)
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
