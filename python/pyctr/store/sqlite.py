"""SQLite's own module, and nothing around it.

The package ``sqlite3`` adds date converters, and imports ``datetime`` for them. The module below it imports
``functools`` for one decorator, ``lru_cache``, and with that comes ``collections``: together they take longer
than opening the database. Python's accelerator has all that is wanted, so as long as nobody else has imported
``functools``, the module is given that instead. Where there is no such module, there is the package.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from typing import Any

__all__ = ["sqlite3"]


class _Functools:
    """As much of ``functools`` as ``_sqlite3`` looks for."""

    @staticmethod
    def lru_cache(maxsize: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Keep the last ``maxsize`` results of a function: here, prepared statements."""
        from _functools import _lru_cache_wrapper  # type: ignore[import-not-found]

        return lambda function: _lru_cache_wrapper(function, maxsize, False, tuple)


def _own_module() -> Any:
    modules: dict[str, Any] = sys.modules
    lean = "functools" not in modules
    if lean:
        modules["functools"] = _Functools
    try:
        import _sqlite3
    except ImportError:
        return None
    finally:
        if lean:
            del modules["functools"]
    return _sqlite3


if not TYPE_CHECKING:
    sqlite3 = _own_module()
    if sqlite3 is None:
        import sqlite3
