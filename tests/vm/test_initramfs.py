"""The archive is one that cpio understands, and modules come after what they need."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.vm import initramfs

if TYPE_CHECKING:
    from pathlib import Path


def module(directory: Path, name: str, *needs: str) -> None:
    info = f"license=GPL\0depends={','.join(needs)}\0name={name}\0"
    (directory / f"{name}.ko").write_bytes(b"\x7fELF\0" + info.encode())


def test_modules_come_after_what_they_need(tmp_path: Path) -> None:
    module(tmp_path, "virtio_pci", "virtio", "virtio-ring")
    module(tmp_path, "virtio-ring", "virtio")
    module(tmp_path, "virtio")
    module(tmp_path, "unused")
    order = initramfs.load_order(tmp_path, ("virtio_pci", "builtin", "virtio"))
    assert [path.stem for path in order] == ["virtio", "virtio-ring", "virtio_pci"]


@pytest.mark.skipif(not initramfs.BUSYBOX.exists(), reason="busybox-static is not installed")
def test_the_archive_can_be_read(tmp_path: Path) -> None:
    module(tmp_path, "overlay")
    archive = initramfs.build(tmp_path)
    listing = subprocess.run(
        [initramfs.BUSYBOX, "cpio", "-t"], input=archive, capture_output=True, check=True
    ).stdout.decode()
    assert {"init", "bin/sh", "bin/busybox", "lib/overlay.ko", "lib/order"} <= set(listing.split())
