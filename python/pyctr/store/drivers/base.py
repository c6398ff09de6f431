"""What every storage driver can do.

A *layer* is read-only and known by its chain id; a *container's layer* is writable and known by the
container's id. Where a method takes ``layers``, they are chain ids, top first; ``host`` is the machine's own
root.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pyctr.store.drivers.staging import Staging
    from pyctr.store.sweeper import Sweeper


class Driver(Protocol):
    """A storage driver. Every method may be called from any thread; what removes may be called twice."""

    @property
    def name(self) -> str:
        """What ``--storage-driver`` calls it."""

    def probe(self) -> str:
        """Why it cannot be used here; empty if it can. Leaves nothing behind."""

    def prepare(self) -> None:
        """Make its directory."""

    def stage(self, layers: Sequence[str]) -> Staging:
        """Begin a new layer on top of others."""

    def has(self, layer: str) -> bool:
        """Whether the layer is there."""

    def discard(self, layer: str) -> None:
        """Move a layer to the trash in one step; nothing may use it. Harmless when it is gone."""

    def create(self, id: str, layers: Sequence[str]) -> None:
        """Make a container's layer, whose row is written already."""

    def rootfs(self, id: str) -> dict[str, Any]:
        """Its file system: ``{"overlay": …}`` as in shim.json, or ``{"path": …}``, a plain directory."""

    def changes(self, id: str) -> list[tuple[str, bytes]]:
        """What the container changed: ``(A, C or D, path)``, sorted by path."""

    def size(self, id: str) -> int:
        """Bytes of the files in the container's own layer."""

    def data(self, id: str) -> dict[str, str] | None:
        """``GraphDriver.Data`` of inspect: the driver's own names of things."""

    def remove(self, id: str, sweeper: Sweeper) -> list[OSError]:
        """Remove the container's layer; gives what could not be, which the next sweep tries again."""
