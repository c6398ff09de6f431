"""Shell completion: what can stand where, asked by the shell's script that ``pyctr completion`` prints."""

from __future__ import annotations

import os

from pyctr.errors import PyctrError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from pyctr.engine.interface import Backend

VARIABLE = "_PYCTR_COMPLETE"
SHELLS = ("bash", "fish", "zsh")
_CAPABILITIES = (
    "ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE "
    "DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE "
    "MKNOD "
    "NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN "
    "SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME "
    "SYS_TTY_CONFIG WAKE_ALARM"
)
_SIGNALS = "HUP INT QUIT KILL USR1 USR2 TERM CONT STOP WINCH"
_FIXED: dict[str, tuple[str, ...]] = {
    "capabilities": tuple(_CAPABILITIES.split()),
    "log_drivers": ("json-file", "none"),
    "log_levels": ("debug", "info", "warn", "error", "fatal"),
    "shells": SHELLS,
    "signals": tuple(_SIGNALS.split()),
    "storage_drivers": ("overlay2", "vfs"),
    "types": ("container", "image", "volume"),
}
_STATUSES: dict[str, list[str]] = {
    "containers": [],
    "paused": ["paused"],
    "running": ["running"],
    "stopped": ["created", "exited"],
}


def script(shell: str) -> str:
    """Return the script a shell reads to complete ``pyctr``."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    return get_completion_script(prog_name="pyctr", complete_var=VARIABLE, shell=shell)


def complete(environ: Mapping[str, str]) -> int:
    """Answer the shell's script; the exit code."""
    from typer.completion import completion_init, shell_complete  # type: ignore[attr-defined]

    from pyctr.cli.help import tree
    from pyctr.cli.main import ROOT

    completion_init()
    try:
        return shell_complete(tree(ROOT), {}, "pyctr", VARIABLE, environ[VARIABLE])
    except SystemExit as end:  # how typer's fish script learns whether there is anything
        return int(end.code or 0)
    except Exception:
        return 1


def candidates(source: str, ctx: Any, incomplete: str) -> list[tuple[str, str]]:
    """Return what can stand for ``incomplete``, with a word of help each."""
    values = (
        [(value, "") for value in _FIXED[source]] if source in _FIXED else _dynamic(source, ctx, incomplete)
    )
    return [(value, help_) for value, help_ in values if value.startswith(incomplete)]


def _dynamic(source: str, ctx: Any, incomplete: str) -> Iterable[tuple[str, str]]:
    if source == "environment":
        return [(name, "") for name in sorted(os.environ)]
    if source == "files":
        return _files(incomplete)
    try:
        return _named(source, ctx)
    except PyctrError:  # no store yet, or none that we may read
        return ()


def _files(incomplete: str) -> Iterable[tuple[str, str]]:
    folder = os.path.dirname(incomplete)
    try:
        entries = list(os.scandir(folder or "."))
    except OSError:
        return ()
    prefix = incomplete[: len(incomplete) - len(os.path.basename(incomplete))]
    return [(f"{prefix}{entry.name}{'/' if entry.is_dir() else ''}", "") for entry in entries]


def _named(source: str, ctx: Any) -> list[tuple[str, str]]:
    """Ask the engine for the names of containers, images, volumes, or all of them."""
    from pyctr.engine import connect

    given = ctx.find_root().params if ctx is not None else {}
    engine = connect(given.get("option_root"), given.get("option_run_root"))
    try:
        return _names(engine, source)
    finally:
        engine.close()


def _names(engine: Backend, source: str) -> list[tuple[str, str]]:
    if source in _STATUSES:
        return _containers(engine, _STATUSES[source])
    lists: dict[str, Callable[[], list[tuple[str, str]]]] = {
        "image": lambda: _images(engine),
        "images": lambda: _images(engine),
        "networks": lambda: _networks(engine),
        "objects": lambda: [*_containers(engine, []), *_images(engine), *_volumes(engine)],
        "volumes": lambda: _volumes(engine),
    }
    return lists[source]()


def _containers(engine: Backend, statuses: list[str]) -> list[tuple[str, str]]:
    filters = {"status": statuses} if statuses else {}
    summaries = engine.containers.list(all=True, filters=filters)
    return [(summary["Names"][0].lstrip("/"), summary["Image"]) for summary in summaries]


def _images(engine: Backend) -> list[tuple[str, str]]:
    tags = (tag for summary in engine.images.list() for tag in summary.get("RepoTags") or ())
    return [(tag.removesuffix(":latest"), "") for tag in tags if tag != "<none>:<none>"]


def _volumes(engine: Backend) -> list[tuple[str, str]]:
    return [(volume["Name"], "") for volume in engine.volumes.list()["Volumes"]]


def _networks(engine: Backend) -> list[tuple[str, str]]:
    containers = _containers(engine, ["running"])
    return [("none", ""), ("host", ""), *((f"container:{name}", help_) for name, help_ in containers)]
