"""The engine embedded in this process. Each verb's module is imported when it is first used."""

from __future__ import annotations

from pyctr.engine.core import Core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from pyctr.engine import types as t
    from pyctr.engine.interface import Session, WaitCondition
    from pyctr.engine.types import Changes, Deleted, DiskUsage, History


class LocalEngine:
    """``interface.Backend`` over a store on this machine."""

    def __init__(
        self,
        root: str | None = None,
        run_root: str | None = None,
        warn: Callable[[str], None] | None = None,
        storage_driver: str = "",
        *,
        lasting: bool = False,
    ) -> None:
        self.core = Core(root, run_root, storage_driver, lasting=lasting)
        self.core.db.warn = warn
        self.containers = LocalContainers(self.core)
        self.execs = LocalExecs(self.core)
        self.images = LocalImages(self.core)
        self.volumes = LocalVolumes(self.core)

    def events(
        self, *, since: str | None = None, until: str | None = None, filters: t.Filters | None = None
    ) -> Iterator[t.Event]:
        from pyctr.engine.events import events

        return events(self.core, since=since, until=until, filters=filters)

    def info(self) -> dict[str, Any]:
        from pyctr.engine.info import info

        return info(self.core)

    def version(self) -> dict[str, Any]:
        from pyctr.engine.info import version

        return version()

    def disk_usage(self) -> DiskUsage:
        from pyctr.engine.disk import disk_usage

        return disk_usage(self.core)

    def close(self) -> None:
        self.core.close()


class LocalContainers:
    """``interface.Containers``."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def create(self, body: t.CreateBody, name: str | None = None) -> t.CreateReply:
        from pyctr.engine.container.create import create

        return create(self._core, body, name)

    def start(self, id: str, *, attach: bool = False) -> Session | None:
        from pyctr.engine.container.start import start

        return start(self._core, id, attach=attach)

    def run(
        self, body: t.CreateBody, name: str | None = None, *, attach: bool = True
    ) -> tuple[str, list[str], Session | None]:
        from pyctr.engine.container.run import run

        return run(self._core, body, name, attach=attach)

    def stop(self, id: str, *, timeout: int | None = None, signal: str | None = None) -> None:
        from pyctr.engine.container.stop import stop

        stop(self._core, id, timeout=timeout, signal=signal)

    def restart(self, id: str, *, timeout: int | None = None, signal: str | None = None) -> None:
        from pyctr.engine.container.restart import restart

        restart(self._core, id, timeout=timeout, signal=signal)

    def kill(self, id: str, signal: str = "SIGKILL") -> None:
        from pyctr.engine.container.kill import kill

        kill(self._core, id, signal)

    def pause(self, id: str) -> None:
        from pyctr.engine.container.pause import pause

        pause(self._core, id)

    def unpause(self, id: str) -> None:
        from pyctr.engine.container.pause import unpause

        unpause(self._core, id)

    def wait(self, id: str, condition: WaitCondition = "not-running") -> t.WaitReply:
        from pyctr.engine.container.wait import wait

        return wait(self._core, id, condition)

    def inspect(self, id: str, *, size: bool = False) -> t.ContainerInspect:
        from pyctr.engine.container.inspect import inspect

        return inspect(self._core, id, size=size)

    def logs(
        self,
        id: str,
        *,
        stdout: bool = True,
        stderr: bool = True,
        follow: bool = False,
        since: str | None = None,
        until: str | None = None,
        timestamps: bool = False,
        tail: int | None = None,
        details: bool = False,
    ) -> Iterator[tuple[int, bytes]]:
        from pyctr.engine.container.logs import logs

        return logs(
            self._core,
            id,
            stdout=stdout,
            stderr=stderr,
            follow=follow,
            since=since,
            until=until,
            timestamps=timestamps,
            tail=tail,
            details=details,
        )

    def attach(
        self, id: str, *, stdin: bool = False, stdout: bool = True, stderr: bool = True, logs: bool = False
    ) -> Session:
        from pyctr.engine.container.attach import attach

        return attach(self._core, id, stdin=stdin, stdout=stdout, stderr=stderr, logs=logs)

    def resize(self, id: str, rows: int, cols: int) -> None:
        from pyctr.engine.container.attach import resize

        resize(self._core, id, rows, cols)

    def top(self, id: str, ps_args: str = "") -> t.TopReply:
        from pyctr.engine.container.top import top

        return top(self._core, id, ps_args)

    def stats(self, id: str, *, stream: bool = True, one_shot: bool = False) -> Iterator[t.Json]:
        from pyctr.engine.container.stats import stats

        return stats(self._core, id, stream=stream, one_shot=one_shot)

    def rename(self, id: str, name: str) -> None:
        from pyctr.engine.container.rename import rename

        rename(self._core, id, name)

    def remove(self, id: str, *, force: bool = False, volumes: bool = False, link: bool = False) -> None:
        from pyctr.engine.container.remove import remove

        remove(self._core, id, force=force, volumes=volumes, link=link)

    def update(self, id: str, body: t.UpdateBody) -> t.UpdateReply:
        from pyctr.engine.container.update import update

        return update(self._core, id, body)

    def changes(self, id: str) -> Changes:
        from pyctr.engine.container.changes import changes

        return changes(self._core, id)

    def archive_stat(self, id: str, path: str) -> t.PathStat:
        from pyctr.engine.container.archive import archive_stat

        return archive_stat(self._core, id, path)

    def archive_get(self, id: str, path: str, fd: int) -> t.PathStat:
        from pyctr.engine.container.archive import archive_get

        return archive_get(self._core, id, path, fd)

    def archive_put(
        self, id: str, path: str, fd: int, *, keep_kinds: bool = False, copy_owner: bool = False
    ) -> None:
        from pyctr.engine.container.archive import archive_put

        archive_put(self._core, id, path, fd, keep_kinds=keep_kinds, copy_owner=copy_owner)

    def export(self, id: str, fd: int) -> None:
        from pyctr.engine.container.archive import export

        export(self._core, id, fd)

    def prune(self, filters: t.Filters | None = None) -> t.PruneReply:
        from pyctr.engine.container.prune import prune

        return prune(self._core, filters)

    def list(
        self, *, all: bool = False, filters: t.Filters | None = None, limit: int = 0, size: bool = False
    ) -> list[t.ContainerSummary]:
        from pyctr.engine.container.list import list_containers

        return list_containers(self._core, all=all, filters=filters, limit=limit, size=size)


class LocalExecs:
    """``interface.Execs``."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def create(self, id: str, body: t.ExecBody) -> str:
        from pyctr.engine.container.exec import create

        return create(self._core, id, body)

    def start(self, exec_id: str, *, detach: bool = False) -> Session | None:
        from pyctr.engine.container.exec import start

        return start(self._core, exec_id, detach=detach)

    def run(self, id: str, body: t.ExecBody, *, detach: bool = False) -> Session | None:
        from pyctr.engine.container.exec import run

        return run(self._core, id, body, detach=detach)

    def inspect(self, exec_id: str) -> t.ExecInspect:
        from pyctr.engine.container.exec import inspect

        return inspect(self._core, exec_id)

    def resize(self, exec_id: str, rows: int, cols: int) -> None:
        from pyctr.engine.container.exec import resize

        resize(self._core, exec_id, rows, cols)


class LocalVolumes:
    """``interface.Volumes``."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def create(self, body: t.VolumeCreateBody) -> t.Volume:
        from pyctr.engine.volume.verbs import create

        return create(self._core, body)

    def list(self, filters: t.Filters | None = None) -> t.VolumeList:
        from pyctr.engine.volume.verbs import list_volumes

        return list_volumes(self._core, filters)

    def inspect(self, name: str) -> t.Volume:
        from pyctr.engine.volume.verbs import inspect

        return inspect(self._core, name)

    def remove(self, name: str, *, force: bool = False) -> None:
        from pyctr.engine.volume.store import remove

        remove(self._core, name, force=force)

    def prune(self, filters: t.Filters | None = None) -> t.PruneReply:
        from pyctr.engine.volume.verbs import prune

        return prune(self._core, filters)


class LocalImages:
    """``interface.Images``."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def inspect(self, ref: str) -> t.ImageInspect:
        from pyctr.engine.image.inspect import inspect

        return inspect(self._core, ref)

    def history(self, ref: str) -> History:
        from pyctr.engine.image.inspect import history

        return history(self._core, ref)

    def import_(
        self,
        source: int | str,
        *,
        ref: str | None = None,
        changes: Sequence[str] | None = None,
        message: str = "",
        platform: str = "",
    ) -> str:
        import os

        from pyctr.engine.image.import_ import import_image
        from pyctr.image.fetch import open_source

        fd = open_source(source) if isinstance(source, str) else os.dup(source)
        try:
            return import_image(
                self._core,
                fd,
                ref=ref,
                changes=changes,
                message=message,
                platform=platform,
                source=source if isinstance(source, str) else "-",
            )
        finally:
            os.close(fd)

    def tag(self, source: str, target: str) -> None:
        from pyctr.engine.image.tag import tag

        tag(self._core, source, target)

    def remove(self, ref: str, *, force: bool = False, prune: bool = True) -> Deleted:
        from pyctr.engine.image.remove import remove

        return remove(self._core, ref, force=force, prune=prune)

    def prune(self, filters: t.Filters | None = None) -> t.PruneReply:
        from pyctr.engine.image.remove import prune

        return prune(self._core, filters)

    def list(
        self, *, all: bool = False, filters: t.Filters | None = None, digests: bool = False
    ) -> list[t.ImageSummary]:
        from pyctr.engine.image.list import list_images

        del all  # there are no intermediate images
        return list_images(self._core, filters=filters, digests=digests)
