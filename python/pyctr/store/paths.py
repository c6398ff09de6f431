"""Where everything lies. ARCHITECTURE.md, "On disk", draws the tree."""

from __future__ import annotations

import errno
import os

from pyctr.errors import Forbidden, SystemFailure

DEFAULT_ROOT = "/var/lib/pyctr"
DEFAULT_RUN_ROOT = "/run/pyctr"


class Paths:
    """The two roots of a store and the names below them, all absolute."""

    __slots__ = (
        "containers",
        "journal",
        "meta",
        "reserve",
        "root",
        "run_containers",
        "run_root",
        "run_trash",
        "tmp",
        "trash",
    )

    def __init__(self, root: str | None = None, run_root: str | None = None) -> None:
        environ = os.environ
        self.root = os.path.abspath(root or environ.get("PYCTR_ROOT") or DEFAULT_ROOT)
        self.run_root = os.path.abspath(run_root or environ.get("PYCTR_RUN_ROOT") or DEFAULT_RUN_ROOT)
        self.meta = self.root + "/meta.db"
        self.containers = self.root + "/containers"
        self.run_containers = self.run_root + "/containers"
        self.trash = self.root + "/trash"
        self.run_trash = self.run_root + "/trash"
        self.tmp = self.root + "/tmp"
        self.journal = self.root + "/events.json"
        self.reserve = self.root + "/reserve"

    def container(self, id: str) -> str:
        """The container's lasting files."""
        return f"{self.containers}/{id}"

    def bundle(self, id: str) -> str:
        """The container's OCI bundle, gone after a reboot."""
        return f"{self.run_containers}/{id}"

    def log(self, id: str) -> str:
        return f"{self.containers}/{id}/{id}-json.log"

    def exit(self, id: str, auto_remove: int) -> str:
        """The supervisor's exit record; that of a ``--rm`` container need not outlast the boot."""
        return f"{self.run_containers if auto_remove else self.containers}/{id}/exit.json"

    def shim_lock(self, id: str) -> str:
        """Held while the container's supervisor lives."""
        return f"{self.run_containers}/{id}/shim.lock"

    def shim_socket(self, id: str) -> str:
        return f"{self.run_containers}/{id}/shim.sock"

    def volume(self, name: str) -> str:
        return f"{self.root}/volumes/{name}"

    def prepare(self) -> None:
        """Make the directories: 0710 and 0711, so that nothing below can be listed or reached by others."""
        for path, mode in (
            (self.root, 0o710),
            (self.containers, 0o710),
            (f"{self.root}/volumes", 0o711),
            (self.trash, 0o700),
            (self.tmp, 0o700),
        ):
            _make(path, mode)
        self.prepare_run()

    def prepare_run(self) -> None:
        """Make the directories that a reboot takes away."""
        _make(self.run_root, 0o711)
        _make(self.run_containers, 0o711)
        _make(self.run_trash, 0o700)


def _make(path: str, mode: int) -> None:
    try:
        os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
        os.mkdir(path, mode)
        os.chmod(path, mode)  # whatever the umask is
    except FileExistsError:
        return
    except OSError as error:
        raise store_error(f"make the directory {path}", error) from error


def store_error(action: str, error: OSError) -> Forbidden | SystemFailure:
    """Turn an OSError on the store itself into a sentence."""
    reason = (error.strerror or str(error)).lower()
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) and os.geteuid() != 0:
        hint = "run as root, or choose a store you own with --root and --run-root"
        return Forbidden(f"cannot {action}: {reason}", hint=hint)
    return SystemFailure(f"cannot {action}: {reason}", errno=error.errno or 0)
