"""``--security-opt``: the client reads a seccomp profile's file and takes ``systempaths`` for itself."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def security_options(options: Sequence[str]) -> list[str]:
    """Check each option and put the seccomp profile's text in place of its file's name."""
    return [_security_option(option) for option in options]


def _security_option(option: str) -> str:
    key, separator, value = option.partition("=")
    if not separator and key != "no-new-privileges":
        key, separator, value = option.partition(":")
    if not value and key != "no-new-privileges":
        from pyctr.cli.golang import quote

        raise ValueError(f"invalid --security-opt: {quote(option)}")
    if key == "seccomp" and value not in ("builtin", "unconfined"):
        return f"seccomp={_compact_json(value)}"
    return option


def _compact_json(path: str) -> str:
    """Return a JSON file's text without the space between its tokens, otherwise as written."""
    import json

    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except OSError as problem:
        reason = (problem.strerror or "failed").lower()
        raise ValueError(f"opening seccomp profile ({path}) failed: open {path}: {reason}") from None
    except ValueError as problem:
        raise ValueError(f"compacting json for seccomp profile ({path}) failed: {problem}") from None
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)
