"""The first file system of the machine: busybox, a few kernel modules and a script."""

from __future__ import annotations

import re
import stat
from pathlib import Path

BUSYBOX = Path("/bin/busybox")
INIT = Path(__file__).with_name("init.sh")
# What it takes to reach the host's files and to run containers on them.
MODULES = ("virtio_pci", "virtiofs", "overlay", "veth", "loop")


def build(modules: Path) -> bytes:
    """Give a cpio archive in the kernel's format ("newc")."""
    ordered = load_order(modules, MODULES)
    archive = _Archive()
    for name in ("bin", "dev", "lib", "mnt", "proc", "sys"):
        archive.add(name, stat.S_IFDIR | 0o755)
    archive.add("bin/busybox", stat.S_IFREG | 0o755, BUSYBOX.read_bytes())
    archive.add("bin/sh", stat.S_IFLNK | 0o777, b"busybox")
    archive.add("init", stat.S_IFREG | 0o755, INIT.read_bytes())
    for path in ordered:
        archive.add(f"lib/{path.name}", stat.S_IFREG | 0o644, path.read_bytes())
    archive.add("lib/order", stat.S_IFREG | 0o644, "".join(f"{p.name}\n" for p in ordered).encode())
    return archive.finish()


def load_order(modules: Path, names: tuple[str, ...]) -> list[Path]:
    """Give the modules and all they depend on, each after what it needs. Built-in ones have no file."""
    files = {path.stem.replace("-", "_"): path for path in modules.rglob("*.ko")}
    ordered: list[Path] = []

    def visit(name: str) -> None:
        path = files.get(name)
        if path is None or path in ordered:
            return
        for needed in _depends(path):
            visit(needed)
        ordered.append(path)

    for name in names:
        visit(name)
    return ordered


def _depends(path: Path) -> list[str]:
    """The module says itself what it needs, in its section .modinfo."""
    found = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
    names = found[1].decode().split(",") if found else []
    return [name.replace("-", "_") for name in names if name]


class _Archive:
    """cpio, see the kernel's Documentation/driver-api/early-userspace/buffer-format.rst."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.inode = 0

    def add(self, name: str, mode: int, content: bytes = b"") -> None:
        self.inode += 1
        encoded = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
        self.data += b"070701" + b"".join(b"%08x" % field for field in fields)
        for part in (encoded, content):
            self.data += part
            self.data += bytes(-len(self.data) % 4)

    def finish(self) -> bytes:
        self.add("TRAILER!!!", 0)
        return bytes(self.data)
