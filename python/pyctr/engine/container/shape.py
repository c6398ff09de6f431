"""HostConfig and Config as ``inspect`` shows them: every key there is, in docker's order."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyctr.engine import types as t

_HOST: dict[str, Any] = {
    "Binds": None,
    "ContainerIDFile": "",
    "LogConfig": {"Type": "json-file", "Config": {}},
    "NetworkMode": "none",
    "PortBindings": {},
    "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
    "AutoRemove": False,
    "VolumeDriver": "",
    "VolumesFrom": None,
    "ConsoleSize": [0, 0],
    "CapAdd": None,
    "CapDrop": None,
    "CgroupnsMode": "",
    "Dns": [],
    "DnsOptions": [],
    "DnsSearch": [],
    "ExtraHosts": None,
    "GroupAdd": None,
    "IpcMode": "private",
    "Cgroup": "",
    "Links": None,
    "OomScoreAdj": 0,
    "PidMode": "",
    "Privileged": False,
    "PublishAllPorts": False,
    "ReadonlyRootfs": False,
    "SecurityOpt": None,
    "UTSMode": "",
    "UsernsMode": "",
    "ShmSize": 64 << 20,
    "Runtime": "pyctr",
    "Isolation": "",
    "CpuShares": 0,
    "Memory": 0,
    "NanoCpus": 0,
    "CgroupParent": "",
    "BlkioWeight": 0,
    "BlkioWeightDevice": [],
    "BlkioDeviceReadBps": [],
    "BlkioDeviceWriteBps": [],
    "BlkioDeviceReadIOps": [],
    "BlkioDeviceWriteIOps": [],
    "CpuPeriod": 0,
    "CpuQuota": 0,
    "CpuRealtimePeriod": 0,
    "CpuRealtimeRuntime": 0,
    "CpusetCpus": "",
    "CpusetMems": "",
    "Devices": [],
    "DeviceCgroupRules": None,
    "DeviceRequests": None,
    "MemoryReservation": 0,
    "MemorySwap": 0,
    "MemorySwappiness": None,
    "OomKillDisable": False,
    "PidsLimit": None,
    "Ulimits": [],
    "CpuCount": 0,
    "CpuPercent": 0,
    "IOMaximumIOps": 0,
    "IOMaximumBandwidth": 0,
    "MaskedPaths": None,
    "ReadonlyPaths": None,
}
_CONFIG: dict[str, Any] = {
    "Hostname": "",
    "Domainname": "",
    "User": "",
    "AttachStdin": False,
    "AttachStdout": False,
    "AttachStderr": False,
    "Tty": False,
    "OpenStdin": False,
    "StdinOnce": False,
    "Env": None,
    "Cmd": None,
    "Image": "",
    "Volumes": None,
    "WorkingDir": "",
    "Entrypoint": None,
    "OnBuild": None,
    "Labels": {},
}


def host_config(given: t.HostConfig) -> t.HostConfig:
    """What is in force: the request with every default, and without the client's words for *nothing said*."""
    shown: dict[str, Any] = {**_HOST, **given}
    if shown["MemorySwappiness"] == -1:
        shown["MemorySwappiness"] = None
    if shown["PidsLimit"] == 0:
        shown["PidsLimit"] = None
    if not shown["CgroupnsMode"]:
        from pyctr.engine.facts import machine

        shown["CgroupnsMode"] = "private" if machine()["cgroup_version"] == 2 else "host"
    if not shown["Privileged"]:
        _hidden_paths(shown)
    return shown  # type: ignore[return-value]


def _hidden_paths(shown: dict[str, Any]) -> None:
    """The parts of /proc and /sys that containers do not see or may not change, unless others were named."""
    from pyctr.engine.spec.security import MASKED, READ_ONLY

    for key, default in (("MaskedPaths", MASKED), ("ReadonlyPaths", READ_ONLY)):
        if shown[key] is None:
            unconfined = "systempaths=unconfined" in (shown["SecurityOpt"] or ())
            shown[key] = [] if unconfined else list(default)


def container_config(given: t.ContainerConfig) -> t.ContainerConfig:
    """What runs in it; an environment that says nothing is null."""
    shown: dict[str, Any] = {**_CONFIG, **given}
    shown["Env"] = shown["Env"] or None
    return shown  # type: ignore[return-value]
