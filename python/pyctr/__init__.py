"""pyctr: a container engine that installs with pip.

::

    import pyctr

    with pyctr.Engine() as engine:
        result = engine.run("host", ["uname", "-a"])
        print(result.exit_code, result.stdout)

Nothing is imported before it is used: ``import pyctr`` costs next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr import errors
    from pyctr._core import __version__
    from pyctr.api import Container, Engine, Image, Result, Volume
    from pyctr.errors import PyctrError

__all__ = ["Container", "Engine", "Image", "PyctrError", "Result", "Volume", "__version__", "errors"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'pyctr' has no attribute {name!r}")
    if name == "__version__":
        from pyctr import _core

        return _core.__version__
    if name in ("PyctrError", "errors"):
        from pyctr import errors

        return errors if name == "errors" else errors.PyctrError
    from pyctr import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
