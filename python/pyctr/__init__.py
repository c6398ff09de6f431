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
    from pyctr._core import __version__
    from pyctr.api import Container, Engine, Image, Result, Volume
    from pyctr.errors import PyctrError

__all__ = ["Container", "Engine", "Image", "PyctrError", "Result", "Volume", "__version__"]


_HOMES = {
    "Container": "pyctr.api",
    "Engine": "pyctr.api",
    "Image": "pyctr.api",
    "PyctrError": "pyctr.errors",
    "Result": "pyctr.api",
    "Volume": "pyctr.api",
    "__version__": "pyctr._core",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'pyctr' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
