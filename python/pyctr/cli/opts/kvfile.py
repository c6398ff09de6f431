"""Files of ``KEY=value`` lines: ``--env-file`` and ``--label-file``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_LINE = 64 * 1024
_SPACES = " \t\n\v\f\r\x85\xa0"


def read_pairs(path: str, environ: Mapping[str, str] | None) -> list[str]:
    """Return the pairs in a file, comments and blank lines left out.

    A key without a value takes it from ``environ``, and is left out when it is not there (or ``environ`` is
    None: labels). Raises ValueError with docker's words.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except IsADirectoryError:
        raise ValueError(f"invalid env file ({path}): read {path}: is a directory") from None
    except OSError as problem:
        raise ValueError(f"open {path}: {(problem.strerror or 'failed').lower()}") from None
    try:
        return _pairs(data, environ)
    except ValueError as problem:
        raise ValueError(f"invalid env file ({path}): {problem}") from None


def _pairs(data: bytes, environ: Mapping[str, str] | None) -> list[str]:
    pairs = []
    for number, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if len(raw) >= _LONGEST_LINE:
            raise ValueError("bufio.Scanner: token too long")
        pair = _pair(raw.removesuffix(b"\r"), number, environ)
        if pair is not None:
            pairs.append(pair)
    return pairs


def _pair(raw: bytes, number: int, environ: Mapping[str, str] | None) -> str | None:
    try:
        line = raw.decode().lstrip(_SPACES)
    except UnicodeDecodeError:
        raise ValueError(f"invalid utf8 bytes at line {number}: [{' '.join(map(str, raw))}]") from None
    if not line or line[0] == "#":
        return None
    key, equals, _ = line.partition("=")
    if not key:
        raise ValueError(f"no variable name on line '{line}'")
    if " " in key or "\t" in key:
        raise ValueError(f"variable '{key}' contains whitespaces")
    if equals:
        return line
    if environ is None or key not in environ:
        return None
    return f"{key}={environ[key]}"
