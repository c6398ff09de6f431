"""exec: run another program in a running container."""

from __future__ import annotations

import os

from pyctr.engine.container.config import is_unicode
from pyctr.engine.session import ShimSession, SupervisorGone, ask, connect
from pyctr.engine.state import LIVE
from pyctr.errors import Conflict, DamagedStore, InvalidParameter, NotFound, StartFailure
from pyctr.store import files, names
from pyctr.store.json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyctr.engine import types as t
    from pyctr.engine.core import Core
    from pyctr.store.containers import Row


def create(core: Core, ref: str, body: t.ExecBody) -> str:
    """``POST /containers/{id}/exec``."""
    row = _running(core, ref)
    _check(body)
    id = names.new_id()
    sql = "INSERT INTO execs VALUES (?, ?, 0, 'created', NULL, ?)"
    core.db.execute(sql, (id, row.id, dumps(body)))
    core.note(row, f"exec_create: {' '.join(body['Cmd'])}", execID=id)
    return id


def start(core: Core, exec_id: str, *, detach: bool = False) -> ShimSession | None:
    """``POST /exec/{id}/start``."""
    container, body = _record(core, exec_id)
    row = _running(core, container)
    if not core.db.execute(
        "UPDATE execs SET state = 'running' WHERE id = ? AND state = 'created'", (exec_id,)
    ):
        raise Conflict(f"exec {exec_id} has already run")

    def ended(record: dict[str, Any] | None) -> int:
        code = record["exit_code"] if record is not None else None
        core.db.execute("UPDATE execs SET state = 'exited', exit_code = ? WHERE id = ?", (code, exec_id))
        return code if code is not None else 137

    session = _begin(core, row, body, exec_id, detach=detach, on_end=ended)
    if session is not None:
        core.db.execute("UPDATE execs SET pid = ? WHERE id = ?", (session.pid, exec_id))
    return session


def run(core: Core, ref: str, body: t.ExecBody, *, detach: bool = False) -> ShimSession | None:
    """Create and start at once, without a record: what ``pyctr exec`` does."""
    _check(body)
    row, id = _running(core, ref), names.new_id()

    def ended(record: dict[str, Any] | None) -> int:
        if record is None:
            raise SupervisorGone("the supervisor died")
        code: int = record["exit_code"]
        core.note(row, "exec_die", execID=id, exitCode=str(code))
        return code

    core.note(row, f"exec_create: {' '.join(body['Cmd'])}", execID=id)
    return _begin(core, row, body, id, detach=detach, on_end=ended)


def inspect(core: Core, exec_id: str) -> t.ExecInspect:
    """``GET /exec/{id}/json``."""
    found = core.db.row("SELECT container, pid, state, exit_code, doc FROM execs WHERE id = ?", (exec_id,))
    if found is None:
        raise NotFound(f"no such exec instance: {exec_id}")
    container, pid, state, code, doc = found
    body = loads(doc)
    if state == "running":
        state, code = _outcome(core, container, exec_id)
    return {
        "CanRemove": state == "exited",
        "DetachKeys": body.get("DetachKeys") or "",
        "ID": exec_id,
        "Running": state == "running",
        "ExitCode": code,
        "ProcessConfig": {
            "tty": bool(body.get("Tty")),
            "entrypoint": body["Cmd"][0],
            "arguments": body["Cmd"][1:],
            "privileged": bool(body.get("Privileged")),
            "user": body.get("User") or "",
        },
        "OpenStdin": bool(body.get("AttachStdin")),
        "OpenStderr": bool(body.get("AttachStderr")),
        "OpenStdout": bool(body.get("AttachStdout")),
        "ContainerID": container,
        "Pid": pid,
    }


def resize(core: Core, exec_id: str, rows: int, cols: int) -> None:
    """``POST /exec/{id}/resize``."""
    container, _ = _record(core, exec_id)
    try:
        ask(core.paths.bundle(container), {"op": "resize", "rows": rows, "cols": cols, "exec": exec_id})
    except SupervisorGone:
        raise Conflict(f"container {container} is not running") from None


def _begin(
    core: Core, row: Row, body: t.ExecBody, exec_id: str, *, detach: bool, on_end: Any = None
) -> ShimSession | None:
    bundle = core.paths.bundle(row.id)
    base = _bundle_process(bundle, row)
    process = _process(base, body)
    request = {
        "op": "exec",
        "id": exec_id,
        "process": process,
        "tty": bool(body.get("Tty")),
        "stdin": bool(body.get("AttachStdin")) and not detach,
        "stdout": bool(body.get("AttachStdout", True)) and not detach,
        "stderr": bool(body.get("AttachStderr", True)) and not detach,
        "detach": detach,
        "user": body.get("User") or core.document(row)["Config"]["User"],
        "create_cwd": False,
    }
    try:
        session = connect(bundle, on_end=on_end)
        session.request(request)
    except SupervisorGone:
        raise Conflict(f"container {row.id} is not running") from None
    core.note(row, f"exec_start: {' '.join(body['Cmd'])}", execID=exec_id)
    if not detach:
        return session
    session.close()
    return None


def _bundle_process(bundle: str, row: Row) -> dict[str, Any]:
    """The container's own process, as its config.json has it."""
    path = f"{bundle}/config.json"
    try:
        text = files.read(path, 16 << 20)
        if not text:
            raise Conflict(f"container {row.id} is not running")
        process: dict[str, Any] = loads(text)["process"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedStore(f"cannot read {path}: {error}") from None
    return process


def _process(base: dict[str, Any], body: t.ExecBody) -> dict[str, Any]:
    """The container's own process, with another command and what the request changes."""
    process = {**base, "args": body["Cmd"], "terminal": bool(body.get("Tty"))}
    process.pop("consoleSize", None)
    size = body.get("ConsoleSize") or ()
    if process["terminal"] and len(size) == 2 and any(size):
        process["consoleSize"] = {"height": size[0], "width": size[1]}
    process["env"] = _environment(base.get("env") or [], body)
    if body.get("WorkingDir"):
        process["cwd"] = body["WorkingDir"]
    if body.get("Privileged"):
        from pyctr.engine.facts import machine
        from pyctr.engine.spec.caps import NAMES, NUMBERS, sets

        bounding = machine()["bounding"]
        process["capabilities"] = sets([name for name in NAMES if bounding >> NUMBERS[name] & 1])
    return process


def _environment(base: list[str], body: t.ExecBody) -> list[str]:
    wanted = body.get("Env") or []
    names = {entry.partition("=")[0] for entry in wanted}
    kept = [entry for entry in base if entry.partition("=")[0] not in names]
    if body.get("Tty") and not any(entry.startswith("TERM=") for entry in (*kept, *wanted)):
        kept.append("TERM=xterm")
    return kept + [entry for entry in wanted if "=" in entry[1:]]


def _check(body: t.ExecBody) -> None:
    command = body.get("Cmd")
    if not command:
        raise InvalidParameter("no exec command specified")
    for entry in (*command, *(body.get("Env") or ())):
        if not isinstance(entry, str) or "\0" in entry or not is_unicode(entry):
            raise InvalidParameter(f"invalid exec argument: {entry!r}")
    if not command[0]:
        raise StartFailure('exec: "": executable file not found in $PATH', exit_code=127)
    directory = body.get("WorkingDir") or "/"
    if not directory.startswith("/"):
        what = f"the working directory '{directory}' is invalid, it needs to be an absolute path"
        raise StartFailure(what, exit_code=126)


def _running(core: Core, ref: str) -> Row:
    row = core.container(ref)
    if row.state == "paused":
        raise Conflict(f"container {ref} is paused, unpause the container before exec")
    if row.state not in LIVE:
        raise Conflict(f"container {row.id} is not running")
    return row


def _record(core: Core, exec_id: str) -> tuple[str, t.ExecBody]:
    found = core.db.row("SELECT container, doc FROM execs WHERE id = ?", (exec_id,))
    if found is None:
        raise NotFound(f"no such exec instance: {exec_id}")
    return found[0], loads(found[1])


def _outcome(core: Core, container: str, exec_id: str) -> tuple[str, int | None]:
    """What became of an exec that nobody saw end: the supervisor keeps a record of it."""
    path = os.path.join(core.paths.bundle(container), f"exec-{exec_id}.json")
    try:
        record = loads(files.read(path) or b"null")
    except (OSError, ValueError):
        record = None
    if record:
        sql = "UPDATE execs SET state = 'exited', exit_code = ? WHERE id = ?"
        core.db.execute(sql, (record["exit_code"], exec_id))
        return "exited", record["exit_code"]
    row = core.containers.get(container)
    return ("running", None) if row is not None and row.state in LIVE else ("exited", None)
