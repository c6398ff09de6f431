"""Import time is a feature: what a hot path must not import, it does not."""

from __future__ import annotations

import subprocess
import sys

import pytest

FORBIDDEN = frozenset(
    """argparse ast asyncio collections concurrent contextlib dataclasses datetime enum fnmatch functools http
    importlib.metadata inspect json logging multiprocessing pathlib pickle random re shutil signal
    socket sqlite3 ssl struct subprocess tempfile textwrap threading traceback typer typing urllib
    zipfile""".split()  # noqa: SIM905
)

RUN = """
import sys
sys.path.insert(0, {path!r})
before = set(sys.modules)
import pyctr.api
from pyctr import _core
import pyctr.engine.container.run, pyctr.engine.container.remove, pyctr.engine.session, pyctr.engine.state
import pyctr.engine.image.find, pyctr.engine.local, pyctr.store.drivers.overlay2
{more}
print(*(set(sys.modules) - before))
"""
PATH = str(__import__("pathlib").Path(__import__("pyctr").__file__).parent.parent)


def imported(more: str = "") -> set[str]:
    """What the modules of the hot path bring along, in an interpreter without site-packages."""
    code = RUN.format(path=PATH, more=more)
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", code], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_run_imports_nothing_it_does_not_need() -> None:
    found = imported()
    assert "pyctr.engine.container.run" in found
    assert found & FORBIDDEN == set()


@pytest.mark.parametrize("module", ["list", "kill", "stop", "logs", "exec", "inspect"])
def test_nor_do_the_commands_that_are_typed_most(module: str) -> None:
    assert imported(f"import pyctr.engine.container.{module}") & FORBIDDEN == set()


def test_the_package_itself_is_nearly_nothing() -> None:
    before = f"import sys; sys.path.insert(0, {PATH!r}); before = set(sys.modules)"
    code = f"{before}; import pyctr; print(*(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", code], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) <= {"pyctr", "__future__"}
