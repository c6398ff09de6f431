"""start: write the bundle, spawn its supervisor, and wait for the word that the program runs."""

from __future__ import annotations

import _socket
import os

from pyctr import _core
from pyctr.engine.clock import parse_rfc3339
from pyctr.engine.container import netfiles
from pyctr.engine.container.log_options import log_options
from pyctr.engine.container.spec import build_spec
from pyctr.engine.failing import Failing
from pyctr.engine.session import ShimSession, SupervisorGone, ask
from pyctr.engine.spec.process import named_groups
from pyctr.engine.state import LIVE, STARTABLE, settle_ended
from pyctr.errors import Conflict, ContainerNotFound, NotModified, PyctrError, StartFailure, SystemFailure
from pyctr.store import files, owner
from pyctr.store.json import dumps
from pyctr.store.locks import DirLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyctr.engine import types as t
    from pyctr.engine.core import Core
    from pyctr.store.containers import Row

    Document = dict[str, Any]

SHIM = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(__file__))), "_bin", "pyctr-shim")
ATTACH_FD = 3
"""The number that the supervisor's end of our socket has there."""
ATTEMPTS = 50
"""How often a supervisor that we give up is asked to end, a tenth of a second apart."""


def start(core: Core, ref: str, *, attach: bool = False) -> ShimSession | None:
    """``POST /containers/{id}/start``."""
    row = core.container(ref)
    with DirLock(core.paths.container(row.id)):
        found = core.containers.get(row.id)
        if found is None:
            raise ContainerNotFound(f"no such container: {ref}")
        if found.state in LIVE:
            if found.state == "paused":
                raise Conflict(f"cannot start a paused container, try unpause instead: {ref}")
            raise NotModified(f"container {ref} is already running")
        if not core.containers.change(row.id, STARTABLE, state="starting", owner=owner.me()):
            raise Conflict(f"container {ref} is being {found.state}: try again")
        files.unlink(core.paths.exit(row.id, row.auto_remove))
        session = launch(core, found, core.document(found), attach=attach, after_failure=found.state)
    return _handed_over(session, attach=attach)


def launch(
    core: Core,
    row: Row,
    doc: Document,
    spec: Document | None = None,
    *,
    attach: bool,
    session: ShimSession | None = None,
    after_failure: str = "created",
) -> ShimSession:
    """Start a container that we claim; gives the session it is born with, which ``spawn`` may have made.

    What it was before, ``after_failure``, it is again when that fails, with the reason noted.
    """
    try:
        session = session or spawn(core, row.id)
        with Failing(f"start container {row.name}"):
            write_bundle(core, row, doc, spec, attach=attach)
        session.request({"op": "start"})
        started = parse_rfc3339(session.started_at)
        columns = {"state": "running", "owner": "", "pid": session.pid, "started": started, "finished": 0}
        columns |= {"boot": owner.boot_id(), "exit_code": 0, "oom_killed": 0, "error": ""}
        core.containers.set(row.id, **columns)
    except BaseException as error:
        if session is not None:
            session.close()
        _note_failure(core, row, error, after_failure)
        raise
    core.note(row, "start")
    return session


def spawn(core: Core, id: str) -> ShimSession:
    """A supervisor for a container whose bundle is not written yet: it comes up meanwhile.

    Then it waits for the word. Without that, it ends when the session is closed, and has touched nothing.
    """
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    session = ShimSession(ours.detach(), on_end=lambda record: settle_ended(core, id, record))
    arguments = ["shim", "--bundle", core.paths.bundle(id), "--attach-fd", str(ATTACH_FD)]
    try:
        _core.spawn_shim(SHIM, arguments, [(theirs.fileno(), ATTACH_FD)])
    except OSError as error:
        session.close()
        raise SystemFailure(f"cannot start {SHIM}: {error.strerror}", errno=error.errno or 0) from error
    finally:
        theirs.close()
    return session


def write_bundle(core: Core, row: Row, doc: Document, spec: Document | None, *, attach: bool) -> None:
    """config.json and shim.json, in a directory of their own.

    The session that a container is born with counts as its first client only if somebody wants to ``attach``.
    """
    config, host = doc["Config"], doc["HostConfig"]
    if spec is None:
        spec, _ = build_spec(core, row.id, doc)
    _add_groups(core, row, host, spec)
    rootfs = core.driver.rootfs(row.id)
    if "path" in rootfs:
        spec["root"]["path"] = rootfs["path"]
    bundle = core.paths.bundle(row.id)
    _make_bundle(core, bundle)
    netfiles.write(core, row.id, config, host)
    files.write(f"{bundle}/config.json", dumps(spec).encode())
    files.write(f"{bundle}/shim.json", dumps(shim_document(core, row, doc, rootfs, attach)).encode())


def shim_document(core: Core, row: Row, doc: Document, rootfs: Document, attach: bool) -> Document:
    """ARCHITECTURE.md, "shim.json"."""
    config, host = doc["Config"], doc["HostConfig"]
    log = None
    if host["LogConfig"]["Type"] == "json-file":
        size, count = log_options(host["LogConfig"]["Config"])
        log = {"path": core.paths.log(row.id), "max_size": size, "max_file": count}
    return {
        "id": row.id,
        "log": log,
        "exit_file": core.paths.exit(row.id, row.auto_remove),
        "stdin": config["OpenStdin"],
        "stdin_once": config["StdinOnce"] and attach,
        "rootfs": {"overlay": rootfs["overlay"]} if "overlay" in rootfs else None,
        "user": config["User"],
        "create_cwd": bool(config["WorkingDir"]),
        "init": SHIM if host.get("Init") else None,
    }


def _add_groups(core: Core, row: Row, host: t.HostConfig, spec: Document) -> None:
    wanted = named_groups(host)
    if wanted:
        from pyctr.engine.container.groups import resolve

        user = spec["process"]["user"]
        user["additionalGids"] = [*user.get("additionalGids", ()), *resolve(core, row.id, wanted)]


def _make_bundle(core: Core, bundle: str) -> None:
    try:
        os.mkdir(bundle, 0o700)
    except FileExistsError:
        files.remove_tree(bundle)
        os.mkdir(bundle, 0o700)
    except FileNotFoundError:
        core.paths.prepare_run()
        os.mkdir(bundle, 0o700)


def _note_failure(core: Core, row: Row, error: BaseException, state: str) -> None:
    """Put back what the start has changed. Nothing here may hide the error that brought us here."""
    code = error.exit_code if isinstance(error, StartFailure) else 125
    message = str(error) if isinstance(error, PyctrError) else type(error).__name__
    try:
        if not isinstance(error, PyctrError) or isinstance(error, SupervisorGone | SystemFailure):
            _abandon(core, row)
        files.remove_tree(core.paths.bundle(row.id))
        core.containers.set(row.id, state=state, owner="", exit_code=code, error=message)
    except (PyctrError, OSError):
        return


def _abandon(core: Core, row: Row) -> None:
    """End a supervisor that did not say that it had: it may be about to start the program."""
    from pyctr.engine import cgroups

    lock = core.paths.shim_lock(row.id)
    for _ in range(ATTEMPTS):
        if _core.wait_lock(lock, 0.0):
            break
        _kill(core, row)
        _core.wait_lock(lock, 0.1)
    cgroups.destroy(core, row)


def _kill(core: Core, row: Row) -> None:
    try:
        ask(core.paths.bundle(row.id), {"op": "signal", "signal": 9})
    except PyctrError:
        return  # it does not listen yet, or not any more


def _handed_over(session: ShimSession, *, attach: bool) -> ShimSession | None:
    if attach:
        return session
    session.close()
    return None
