"""Root file systems as a hostile author would pack them, around a busybox that works."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path

BUSYBOX = shutil.which("busybox")
COMMANDS = "cat chmod echo env grep head id ln ls mkdir mount mv rm sh sleep stat touch true"


class Rootfs:
    """A tar archive in the making."""

    def __init__(self, *, accounts: bool = True) -> None:
        assert BUSYBOX is not None
        self._bytes = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._bytes, mode="w")  # noqa: SIM115 - closed by save
        self._tar.add(Path(BUSYBOX).resolve(), "bin/busybox")
        for name in COMMANDS.split():
            self.link(f"bin/{name}", "busybox")
        if accounts:
            self.file("etc/passwd", "root:x:0:0::/root:/bin/sh\nweb:x:33:33::/:\n")
            self.file("etc/group", "root:x:0:\nweb:x:33:\n")

    def file(self, path: str, content: str | bytes = b"", mode: int = 0o644) -> Rootfs:
        data = content.encode() if isinstance(content, str) else content
        member = tarfile.TarInfo(path)
        member.size, member.mode = len(data), mode
        self._tar.addfile(member, io.BytesIO(data))
        return self

    def link(self, path: str, target: str, *, hard: bool = False) -> Rootfs:
        return self.special(path, tarfile.LNKTYPE if hard else tarfile.SYMTYPE, target)

    def folder(self, path: str) -> Rootfs:
        return self.special(path, tarfile.DIRTYPE)

    def special(self, path: str, kind: bytes, target: str = "") -> Rootfs:
        member = tarfile.TarInfo(path)
        member.type, member.linkname, member.mode = kind, target, 0o755
        self._tar.addfile(member)
        return self

    def save(self, path: Path) -> Path:
        self._tar.close()
        path.write_bytes(self._bytes.getvalue())
        return path
