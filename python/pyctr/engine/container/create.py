"""create: check the request, write the row, make the files it names."""

from __future__ import annotations

import os
import time

from pyctr.engine.container import config as configs
from pyctr.engine.container.spec import build_spec, joins_others
from pyctr.engine.facts import machine
from pyctr.engine.failing import Failing
from pyctr.errors import InvalidParameter, PyctrError
from pyctr.store import names, owner
from pyctr.store.containers import Row
from pyctr.store.json import dumps
from pyctr.store.paths import store_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyctr.engine import types as t
    from pyctr.engine.core import Core
    from pyctr.engine.image.find import Image
    from pyctr.engine.spec.points import Point

    Document = dict[str, Any]

NO_NETWORK_YET = "there are no bridge networks yet: the container has none, as with --network none"


def create(core: Core, body: t.CreateBody, name: str | None = None) -> t.CreateReply:
    """``POST /containers/create``."""
    made = make(core, body, name)
    core.containers.change(made.row.id, ("creating",), state="created", owner="")
    return {"Id": made.row.id, "Warnings": made.warnings}


class Made:
    """A new container, still claimed by this process: if that dies first, the container vanishes."""

    __slots__ = ("doc", "row", "spec", "warnings")

    def __init__(self, row: Row, doc: Document, spec: Document | None, warnings: list[str]) -> None:
        self.row = row
        self.doc = doc
        self.spec = spec
        """Its config.json, if that is as good as one made when it starts."""
        self.warnings = warnings


def make(core: Core, body: t.CreateBody, name: str | None = None, id: str = "") -> Made:
    """Make a container, *creating* still. Everything is checked before anything is written."""
    if name is not None:
        name = names.check_name("container", name.removeprefix("/"))
    image = core.image(body.get("Image") or "")
    id = id or names.new_id()
    warnings: list[str] = []
    config = configs.container_config(body, image.config, id)
    host = configs.host_config(body.get("HostConfig") or {})
    configs.settle_memory(host, swap_limit=machine()["swap_limit"])
    _check_together(body, host)
    _settle_network(core, config, host, body, warnings)
    points = _mounts(core, config, host)
    argv = (config.get("Entrypoint") or []) + (config.get("Cmd") or [])
    doc: Document = {
        "Path": argv[0],
        "Args": argv[1:],
        "Config": config,
        "HostConfig": host,
        "Points": points,
        "Driver": core.driver.name,
        "HostImage": image.is_host,
    }
    spec, notes = build_spec(core, id, doc, dry=True)
    row = _insert(core, _row(id, name or "", image.id, doc))
    try:
        with Failing(f"create container {row.name}"):
            _make_files(core, row, image, points)
    except BaseException:
        from pyctr.engine.container.remove import erase

        erase(core, row, volumes=True, quietly=True)
        raise
    core.note(row, "create")
    return Made(row, doc, None if joins_others(doc["HostConfig"]) else spec, warnings + notes)


_MOUNT_KEYS = ("Binds", "Mounts", "Tmpfs", "VolumesFrom")


def _mounts(core: Core, config: t.ContainerConfig, host: t.HostConfig) -> list[Point]:
    """All mount points that are asked for, each with its place."""
    if not (config.get("Volumes") or any(host.get(key) for key in _MOUNT_KEYS)):
        return []
    from pyctr.engine.spec.points import planned
    from pyctr.engine.volume.inherit import inherited
    from pyctr.engine.volume.store import check_driver

    points = planned(config.get("Volumes"), host, inherited(core, host))
    for point in points:
        if point["Type"] == "volume":
            check_driver(point["Driver"], point.get("DriverOpts") or {})
        _place(core, point)
    return points


def _shown(points: list[Point], host: t.HostConfig) -> str:
    """What ``ps`` and ``inspect`` show of them, as text for the row."""
    if not points:
        return ""
    from pyctr.engine.volume.inherit import shown

    mounts = shown(points, host)
    return dumps(mounts) if mounts else ""


def _row(id: str, name: str, image_id: str, doc: dict[str, Any]) -> Row:
    config, host, points = doc["Config"], doc["HostConfig"], doc["Points"]
    return Row(
        (
            id,
            name,
            time.time_ns(),
            config["Image"],
            image_id,
            _command_line(doc["Path"], doc["Args"]),
            host["NetworkMode"],
            dumps(config["Labels"]) if config["Labels"] else "",
            _shown(points, host),
            int(host["AutoRemove"]),
            "creating",
            owner.me(),
            "",
            0,
            0,
            0,
            0,
            0,
            "",
            dumps(doc),
        )
    )


def _insert(core: Core, row: Row) -> Row:
    if not row.name:
        return core.containers.insert_named_at_random(row)
    try:
        core.containers.insert(row)
    except PyctrError:
        # The name may belong to a --rm container that has ended: whoever comes next clears it away.
        if not _clear_name(core, row.name):
            raise
        core.containers.insert(row)
    return row


def _clear_name(core: Core, name: str) -> bool:
    """Look at the container that has the name; says whether it is gone now."""
    from pyctr.engine.state import refresh

    try:
        holder = core.containers.find(name)
    except PyctrError:
        return True
    return holder.name == name and refresh(core, holder) is None


def _make_files(core: Core, row: Row, image: Image, points: list[Point]) -> None:
    """What the row names: its directory, its writable layer, its volumes."""
    try:
        os.mkdir(core.paths.container(row.id), 0o710)
    except OSError as error:
        raise store_error(f"make the directory {core.paths.container(row.id)}", error) from error
    core.driver.create(row.id, image.layers)
    if points:
        from pyctr.engine.volume.attach import make_volumes

        make_volumes(core, row, points)


def _place(core: Core, point: Point) -> None:
    """Give a volume its name and source, and check a bind's."""
    if point["Type"] == "volume":
        from pyctr.engine.volume.store import check_name

        if not point["Name"]:
            point["Name"] = names.new_id()
            point["Anonymous"] = True
        check_name(point["Name"])
        point["Source"] = f"{core.paths.volume(point['Name'])}/_data"
    elif point["Type"] == "bind" and not point.get("Create") and not os.path.exists(point["Source"]):
        raise InvalidParameter(
            f'invalid mount config for type "bind": bind source path does not exist: {point["Source"]}'
        )


_OF_THE_JOINED = (("Dns", "dns"), ("ExtraHosts", "custom host-to-IP mapping"))
"""What a container has that lends its network to another."""


def _check_together(body: t.CreateBody, host: t.HostConfig) -> None:
    """Refuse to set what is another's."""
    named = bool(body.get("Hostname"))
    if named and host.get("UTSMode") == "host":
        raise InvalidParameter("conflicting options: hostname and the UTS mode")
    if not host["NetworkMode"].startswith("container:"):
        return
    if named:
        raise InvalidParameter("conflicting options: hostname and the network mode")
    for key, what in _OF_THE_JOINED:
        if host.get(key):
            raise InvalidParameter(f"conflicting options: {what} and the network mode")


def _settle_network(
    core: Core, config: t.ContainerConfig, host: t.HostConfig, body: t.CreateBody, warnings: list[str]
) -> None:
    """``none``, ``host`` and ``container:ID`` are what there is; the default gives way to ``none``."""
    mode = host["NetworkMode"]
    if mode in ("default", "bridge"):
        host["NetworkMode"] = "none"
        warnings.append(NO_NETWORK_YET)
    elif mode == "host":
        if not body.get("Hostname"):
            config["Hostname"] = os.uname().nodename
    elif mode.startswith("container:"):
        host["NetworkMode"] = f"container:{core.containers.find(mode.partition(':')[2]).id}"
    elif mode != "none":
        raise InvalidParameter(f"network {mode} not found: use none, host or container:NAME")
    for key in ("PidMode", "IpcMode"):
        value = str(host.get(key) or "")
        if value.startswith("container:"):
            joined = core.containers.find(value.partition(":")[2])
            host[key] = f"container:{joined.id}"


def _command_line(path: str, arguments: list[str]) -> str:
    """The command as ``ps`` shows it."""
    return " ".join([path, *(f"'{word}'" if " " in word else word for word in arguments)])
