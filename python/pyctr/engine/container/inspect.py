"""inspect: everything about one container."""

from __future__ import annotations

from pyctr.engine.clock import rfc3339
from pyctr.engine.container.select import networks, shown_state
from pyctr.engine.container.shape import container_config, host_config
from pyctr.engine.volume.inherit import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine import types as t
    from pyctr.engine.core import Core
    from pyctr.store.containers import Row


def inspect(core: Core, ref: str, *, size: bool = False) -> t.ContainerInspect:
    """``GET /containers/{id}/json``."""
    row = core.container(ref)
    doc = core.document(row)
    path = core.paths.container(doc["HostConfig"]["NetworkMode"].partition("container:")[2] or row.id)
    execs = core.execs_of(row.id)
    reply: t.ContainerInspect = {
        "Id": row.id,
        "Created": rfc3339(row.created),
        "Path": doc["Path"],
        "Args": doc["Args"],
        "State": state(row),
        "Image": row.image_id,
        "ResolvConfPath": f"{path}/resolv.conf",
        "HostnamePath": f"{path}/hostname",
        "HostsPath": f"{path}/hosts",
        "LogPath": core.paths.log(row.id) if doc["HostConfig"]["LogConfig"]["Type"] == "json-file" else "",
        "Name": "/" + row.name,
        "RestartCount": 0,
        "Driver": doc["Driver"],
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": execs or None,
        "HostConfig": host_config(doc["HostConfig"]),
        "GraphDriver": {"Name": doc["Driver"], "Data": core.driver.data(row.id)},
        "Mounts": shown(doc["Points"], doc["HostConfig"]),
        "Config": container_config(doc["Config"]),
        "NetworkSettings": network_settings(row),
    }
    if size:
        reply["SizeRw"], reply["SizeRootFs"] = core.sizes(row)
    return reply


def state(row: Row) -> t.State:
    """The State document of a row."""
    status = shown_state(row)
    return {
        "Status": status,  # type: ignore[typeddict-item]
        "Running": status in ("running", "paused"),
        "Paused": status == "paused",
        "Restarting": False,
        "OOMKilled": bool(row.oom_killed),
        "Dead": status == "dead",
        "Pid": row.pid if status in ("running", "paused") else 0,
        "ExitCode": row.exit_code,
        "Error": row.error,
        "StartedAt": rfc3339(row.started),
        "FinishedAt": rfc3339(row.finished),
    }


def network_settings(row: Row) -> t.Json:
    """Docker's NetworkSettings of a container without a network of its own."""
    return {
        "Bridge": "",
        "SandboxID": "",
        "SandboxKey": "",
        "Ports": {},
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        "EndpointID": "",
        "Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "IPAddress": "",
        "IPPrefixLen": 0,
        "IPv6Gateway": "",
        "MacAddress": "",
        "Networks": networks(row),
    }
