"""Start-up is a feature: what the hot commands may not import."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FORBIDDEN = (
    *(
        "argparse",
        "asyncio",
        "click",
        "contextlib",
        "dataclasses",
        "datetime",
        "enum",
        "functools",
        "importlib",
    ),
    *("inspect", "logging", "pathlib", "re", "rich", "shutil", "signal", "socket", "ssl", "subprocess"),
    *("tempfile", "termios", "threading", "traceback", "typer", "typing", "typing_extensions"),
)
"""``signal``, ``socket`` and ``re`` cost 1 to 5 ms, mostly for their enumerations; ``_signal`` does not."""

PROGRAM = """
import sys
bare = set(sys.modules)
from pyctr.cli.main import run
from pyctr.errors import PyctrError
import pyctr.engine

class Engine:
    def __getattr__(self, name):
        raise PyctrError("the engine is not part of this test")
    def close(self):
        pass

pyctr.engine.connect = lambda *_: Engine()
code = run(sys.argv[1:], {})
print(*(set(sys.modules) - bare))
sys.exit(code)
"""


def imported(*argv: str) -> set[str]:
    """Return the modules a command line imports on its way to the engine, which refuses."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{PROGRAM}", *argv],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "the engine is not part of this test" in done.stderr, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "argv",
    [
        ["run", "--rm", "--net=none", "-e", "A=1", "-m", "100m", "-v", "/a:/b", "busybox", "true"],
        ["run", "-d", "--name", "x", "busybox", "true"],
        ["create", "busybox"],
        ["exec", "x", "true"],
        ["start", "x"],
        ["stop", "-t", "5", "x"],
        ["kill", "x"],
        ["rm", "-f", "x"],
        ["ps"],
        ["ps", "-aq"],
        ["wait", "x"],
        ["logs", "x"],
        ["images"],
    ],
)
def test_hot_commands_import_little(argv: list[str]) -> None:
    modules = imported(*argv)
    assert modules.isdisjoint(FORBIDDEN), sorted(modules & set(FORBIDDEN))
    assert "pyctr.cli.help" not in modules
    assert "pyctr.cli.completion" not in modules


def test_a_command_imports_no_other_command() -> None:
    modules = imported("run", "busybox", "true")
    assert {name for name in modules if name.startswith("pyctr.cli.commands.")} == {"pyctr.cli.commands.run"}
    assert not any(
        name.startswith(("pyctr.cli.opts", "pyctr.cli.template", "pyctr.cli.output")) for name in modules
    )


def test_help_imports_typer() -> None:
    """The test above could not fail if the names of its list were wrong."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "from pyctr.cli import main; main()", "run", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert "Usage: pyctr run [OPTIONS] IMAGE [COMMAND] [ARG...]" in done.stdout
    assert " typer" in done.stderr
    assert " typing" in done.stderr
