"""The Rust half of pyctr. ``rust/py/src`` has one file per group of functions; stubtest compares the two.

Descriptors are borrowed for the length of a call. What the system refuses is an OSError with its errno.
"""

from typing import Literal, TypedDict, type_check_only

__all__ = [
    "__version__",
    "cgroup_freeze",
    "cgroup_frozen",
    "cgroup_info",
    "cgroup_kill",
    "cgroup_oom_kills",
    "cgroup_pids",
    "cgroup_remove",
    "cgroup_stats",
    "cgroup_thaw",
    "cgroup_update",
    "layer_apply",
    "layer_changes",
    "layer_pack",
    "locks_held",
    "open_in_root",
    "overlay_open",
    "sha256",
    "spawn_shim",
    "sync_filesystem",
    "tree_changes",
    "tree_copy",
    "tree_remove",
    "tree_usage",
    "wait_lock",
]

__version__: str

# spawn: supervisors

def spawn_shim(binary: str, args: list[str], fds: list[tuple[int, int]]) -> None: ...

# locks: do supervisors live?

def locks_held(paths: list[str]) -> list[bool]: ...
def wait_lock(path: str, timeout: float | None = None) -> bool: ...

# layer: archives and trees

@type_check_only
class Applied(TypedDict):
    diff_id: str
    digest: str
    size: int
    compressed_size: int
    compression: str
    entries: int
    content: int
    skipped_xattrs: int
    complete: bool

@type_check_only
class Packed(TypedDict):
    entries: int
    size: int
    digest: str | None

def layer_apply(
    fd: int,
    root: int,
    *,
    base: bytes = ...,
    whiteouts: Literal["overlay", "overlay-user", "remove", "keep"] = "overlay",
    owner: tuple[int, int] | None = None,
    uid_map: list[tuple[int, int, int]] | None = None,
    gid_map: list[tuple[int, int, int]] | None = None,
    max_entries: int | None = None,
    max_bytes: int | None = None,
    keep_kinds: bool = False,
    skip_devices: bool = False,
    lower: list[int] = ...,
) -> Applied: ...
def layer_pack(
    root: int, path: bytes, fd: int, *, name: bytes = ..., hollow: list[bytes] = ..., digest: bool = False
) -> Packed: ...
def layer_changes(upper: int, lower: list[int]) -> list[tuple[Literal["A", "C", "D"], bytes]]: ...
def tree_changes(new: int, old: int) -> list[tuple[Literal["A", "C", "D"], bytes]]: ...
def tree_copy(source: int, target: int) -> None: ...
def tree_remove(path: str) -> None: ...
def tree_usage(root: int) -> tuple[int, int]: ...
def sha256(data: bytes) -> str: ...
def sync_filesystem(fd: int) -> None: ...

# cgroup: limits and accounting; bytes are JSON

def cgroup_info() -> bytes: ...
def cgroup_stats(path: str) -> bytes: ...
def cgroup_update(path: str, resources: bytes) -> None: ...
def cgroup_freeze(path: str) -> None: ...
def cgroup_thaw(path: str) -> None: ...
def cgroup_frozen(path: str) -> bool: ...
def cgroup_kill(path: str) -> None: ...
def cgroup_remove(path: str) -> None: ...
def cgroup_pids(path: str) -> list[int]: ...
def cgroup_oom_kills(path: str) -> int: ...

# rootfs: root file systems seen from outside

def overlay_open(lower: list[str], upper: str | None = None, work: str | None = None) -> int: ...
def open_in_root(root: int, path: bytes, flags: int) -> int: ...
