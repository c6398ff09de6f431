"""top: the host's ``ps``, cut down to the container's processes."""

from __future__ import annotations

import os

from pyctr.engine import cgroups
from pyctr.engine.state import LIVE
from pyctr.errors import Conflict, InvalidParameter, NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from pyctr.engine import types as t
    from pyctr.engine.core import Core

# Never found through PATH: the caller's may lead into a container's files.
PROGRAMS = ("/usr/bin/ps", "/bin/ps")


def top(core: Core, ref: str, ps_args: str = "") -> t.TopReply:
    """``GET /containers/{id}/top``."""
    row = core.container(ref)
    if row.state not in LIVE:
        raise Conflict(f"container {row.id} is not running")
    pids = set(cgroups.pids(core, row))
    reply = select(_ps(ps_args.split() or ["-ef"], pids), pids)
    core.note(row, "top")
    return reply


def select(output: str, pids: set[int]) -> t.TopReply:
    """The lines whose PID column names one of the processes. InvalidParameter without that column."""
    lines = output.splitlines()
    titles = lines[0].split() if lines else []
    if "PID" not in titles:
        raise InvalidParameter("couldn't find PID field in ps output")
    column = titles.index("PID")
    processes = []
    for line in lines[1:]:
        fields = line.split(None, len(titles) - 1)
        if len(fields) > column and fields[column].isdigit() and int(fields[column]) in pids:
            processes.append(fields)
    return {"Titles": titles, "Processes": processes}


def _ps(arguments: list[str], pids: set[int]) -> str:
    """What ``ps`` says of these processes, or of more: not all its options can be joined with ``-q``."""
    program = next((path for path in PROGRAMS if os.access(path, os.X_OK)), None)
    if program is None:
        raise NotFound("cannot list processes: ps is not installed", hint="install the package procps")
    done = _run([program, *arguments, "-q", ",".join(map(str, sorted(pids)))])
    if done.returncode != 0:
        done = _run([program, *arguments])
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise InvalidParameter(f"error running ps: {reason[0] if reason else done.returncode}")
    return done.stdout.decode(errors="surrogateescape")


def _run(argv: list[str]) -> CompletedProcess[bytes]:
    import subprocess

    environment = {"LC_ALL": "C", "COLUMNS": "10000"}
    return subprocess.run(argv, capture_output=True, check=False, env=environment)
