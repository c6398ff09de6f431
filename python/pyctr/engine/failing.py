"""From what ``_core`` raises, OSError and ValueError, to errors that say what was being done."""

from __future__ import annotations

from pyctr.errors import InvalidParameter, SystemFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class Failing:
    """``with Failing("pause container web"):`` what fails in the block failed to do that."""

    __slots__ = ("_action",)

    def __init__(self, action: str) -> None:
        self._action = action

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(value, OSError):
            reason = value.strerror or str(value)
            raise SystemFailure(f"cannot {self._action}: {reason}", errno=value.errno or 0) from value
        if isinstance(value, ValueError):
            raise InvalidParameter(f"cannot {self._action}: {value}") from value
