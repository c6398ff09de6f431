"""Turns the options of ``run`` and ``create`` into the body of ``POST /containers/create``, as docker does.

:func:`create_body` asks nothing of the engine. What it reads are the files the options name (``--env-file``,
``--label-file``, a seccomp profile) and, for names without a value, the environment it is given.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from pyctr.cli.command import Parsed
    from pyctr.engine.types import CreateBody, HostConfig

COPIED = (
    ("ContainerIDFile", "cidfile"),
    ("OomScoreAdj", "oom-score-adj"),
    ("AutoRemove", "rm"),
    ("Privileged", "privileged"),
    ("Dns", "dns"),
    ("DnsSearch", "dns-search"),
    ("DnsOptions", "dns-option"),
    ("IpcMode", "ipc"),
    ("NetworkMode", "network"),
    ("PidMode", "pid"),
    ("UTSMode", "uts"),
    ("UsernsMode", "userns"),
    ("CgroupnsMode", "cgroupns"),
    ("ReadonlyRootfs", "read-only"),
    ("VolumeDriver", "volume-driver"),
    ("ShmSize", "shm-size"),
    ("CgroupParent", "cgroup-parent"),
    ("Isolation", "isolation"),
    ("Memory", "memory"),
    ("MemoryReservation", "memory-reservation"),
    ("MemorySwap", "memory-swap"),
    ("MemorySwappiness", "memory-swappiness"),
    ("OomKillDisable", "oom-kill-disable"),
    ("NanoCpus", "cpus"),
    ("CpuShares", "cpu-shares"),
    ("CpuPeriod", "cpu-period"),
    ("CpuQuota", "cpu-quota"),
    ("CpuRealtimePeriod", "cpu-rt-period"),
    ("CpuRealtimeRuntime", "cpu-rt-runtime"),
    ("CpusetCpus", "cpuset-cpus"),
    ("CpusetMems", "cpuset-mems"),
    ("PidsLimit", "pids-limit"),
    ("BlkioWeight", "blkio-weight"),
    ("BlkioWeightDevice", "blkio-weight-device"),
    ("BlkioDeviceReadBps", "device-read-bps"),
    ("BlkioDeviceReadIOps", "device-read-iops"),
    ("BlkioDeviceWriteBps", "device-write-bps"),
    ("BlkioDeviceWriteIOps", "device-write-iops"),
)
"""Keys of HostConfig that take an option's value as it is."""

_COPIED_LISTS = (
    ("ExtraHosts", "add-host"),
    ("VolumesFrom", "volumes-from"),
    ("GroupAdd", "group-add"),
    ("DeviceCgroupRules", "device-cgroup-rule"),
)
"""The same, for lists that are null when empty."""


def create_body(parsed: Parsed, environ: Mapping[str, str]) -> CreateBody:
    """Return the body for a command line whose arguments are the image and its command.

    Raises ValueError for values that do not go together or that only docker's later checks refuse.
    """
    _check(parsed)
    volumes, binds = _volumes(parsed["volume"])
    streams = _streams(parsed)
    body: CreateBody = {
        "Hostname": parsed["hostname"],
        "Domainname": parsed["domainname"],
        "User": parsed["user"],
        **streams,  # type: ignore[typeddict-item]  # mypy cannot see through the unpacking
        "Tty": parsed["tty"],
        "OpenStdin": parsed["interactive"],
        "StdinOnce": parsed["interactive"] and streams["AttachStdin"],
        "Env": _pairs(parsed["env-file"], _last_of_each(parsed["env"]), environ) or None,
        "Cmd": parsed.arguments[1:] or None,
        "Image": parsed.arguments[0],
        "Volumes": {volume: {} for volume in volumes},
        "WorkingDir": parsed["workdir"],
        "Entrypoint": [parsed["entrypoint"]] if "entrypoint" in parsed.given else None,
        "OnBuild": None,
        "Labels": mapping(_pairs(parsed["label-file"], parsed["label"], None)),
        "HostConfig": _host_config(parsed, binds),
        "NetworkingConfig": {"EndpointsConfig": {}},
    }
    if parsed["stop-signal"]:
        body["StopSignal"] = parsed["stop-signal"]
    if "stop-timeout" in parsed.given:
        body["StopTimeout"] = parsed["stop-timeout"]
    return body


def _check(parsed: Parsed) -> None:
    swappiness = parsed["memory-swappiness"]
    if swappiness != -1 and not 0 <= swappiness <= 100:
        raise ValueError(f"invalid value: {swappiness}. Valid memory swappiness range is 0-100")
    if not _is_pid_mode(parsed["pid"]):
        raise ValueError("--pid: invalid PID mode")
    if parsed["uts"] not in ("", "host"):
        raise ValueError("--uts: invalid UTS mode")
    if parsed["userns"] not in ("", "host"):
        raise ValueError("--userns: invalid USER mode")
    if parsed["cgroupns"] not in ("", "private", "host"):
        raise ValueError("--cgroupns: invalid CGROUP mode")


def _is_pid_mode(mode: str) -> bool:
    return mode in ("", "host") or (mode.startswith("container:") and len(mode) > len("container:"))


def _streams(parsed: Parsed) -> dict[str, bool]:
    chosen = parsed["attach"]
    return {
        "AttachStdin": parsed["interactive"] or "stdin" in chosen,
        "AttachStdout": not chosen or "stdout" in chosen,
        "AttachStderr": not chosen or "stderr" in chosen,
    }


def _volumes(specs: Sequence[str]) -> tuple[list[str], list[str]]:
    """Sort ``-v`` values into anonymous volumes and binds, each once."""
    if not specs:
        return [], []
    from pyctr.cli.opts.volume import bind

    volumes, binds = [], []
    for spec in dict.fromkeys(specs):
        entry = bind(spec)
        if entry is None:
            volumes.append(spec)
        else:
            binds.append(entry)
    return volumes, binds


def _pairs(files: Sequence[str], given: Sequence[str], environ: Mapping[str, str] | None) -> list[str]:
    """Return the pairs of the files, then those given as options, which so win."""
    pairs: list[str] = []
    if files:
        from pyctr.cli.opts.kvfile import read_pairs

        for path in files:
            pairs += read_pairs(path, environ)
    return [*pairs, *given]


def _last_of_each(pairs: Sequence[str]) -> list[str]:
    """Return the last pair of each name, in the order of the names."""
    return list({pair.partition("=")[0]: pair for pair in pairs}.values())


def mapping(pairs: Sequence[str]) -> dict[str, str]:
    mapping = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        mapping[key] = value
    return mapping


def _host_config(parsed: Parsed, binds: list[str]) -> HostConfig:
    config: dict[str, Any] = {key: parsed[name] for key, name in COPIED}
    for key, name in _COPIED_LISTS:
        config[key] = parsed[name] or None
    config["Binds"] = binds or None
    config["CapAdd"] = _capabilities(parsed["cap-add"])
    config["CapDrop"] = _capabilities(parsed["cap-drop"])
    config["LogConfig"] = _log_config(parsed)
    config["RestartPolicy"] = {"Name": "no", "MaximumRetryCount": 0}
    config["Ulimits"] = _ulimits(parsed["ulimit"])
    config["Devices"], config["DeviceRequests"] = _devices(parsed["device"])
    if parsed["gpus"]:
        config["DeviceRequests"] = [*parsed["gpus"], *(config["DeviceRequests"] or ())]
    if parsed["runtime"]:
        config["Runtime"] = parsed["runtime"]
    if parsed["storage-opt"]:
        config["StorageOpt"] = _storage_options(parsed["storage-opt"])
    _security(config, parsed["security-opt"])
    if "init" in parsed.given:
        config["Init"] = parsed["init"]
    for key, name in (("Sysctls", "sysctl"), ("Annotations", "annotation"), ("Mounts", "mount")):
        if parsed[name]:
            config[key] = parsed[name]
    if parsed["tmpfs"]:
        config["Tmpfs"] = _tmpfs(parsed["tmpfs"])
    return config  # type: ignore[return-value]  # built key by key from the tables above


def _capabilities(names: Sequence[str]) -> list[str] | None:
    """Return capabilities as the API wants them: ``CAP_`` in front, upper case, sorted, each once."""
    if not names:
        return None
    return sorted({_capability(name.upper()) for name in names})


def _capability(name: str) -> str:
    return name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}"


def _log_config(parsed: Parsed) -> dict[str, Any]:
    driver, options = parsed["log-driver"], parsed["log-opt"]
    if driver == "none" and options:
        raise ValueError("invalid logging opts for driver none")
    return {"Type": driver, "Config": mapping(options)}


def _storage_options(options: Sequence[str]) -> dict[str, str]:
    if not all("=" in option for option in options):
        raise ValueError("invalid storage option")
    return mapping(options)


def _ulimits(limits: Sequence[Any]) -> list[Any]:
    """Return the last limit of each name, by name."""
    last = {limit["Name"]: limit for limit in limits}
    return [last[name] for name in sorted(last)]


def _devices(values: Sequence[str]) -> tuple[list[Any], list[Any] | None]:
    if not values:
        return [], None
    from pyctr.cli.opts.device import device_mapping, is_cdi_name

    named = [value for value in values if is_cdi_name(value)]
    mappings = [device_mapping(value) for value in values if value not in named]
    if not named:
        return mappings, None
    request = {"Driver": "cdi", "Count": 0, "DeviceIDs": named, "Capabilities": None, "Options": None}
    return mappings, [request]


def _security(config: dict[str, Any], values: Sequence[str]) -> None:
    """Fill in what ``--security-opt`` says; ``systempaths=unconfined`` empties the lists of hidden paths."""
    config["SecurityOpt"] = config["MaskedPaths"] = config["ReadonlyPaths"] = None
    if not values:
        return
    from pyctr.cli.opts.security import security_options

    options = security_options(values)
    config["SecurityOpt"] = [option for option in options if option != "systempaths=unconfined"]
    if len(config["SecurityOpt"]) < len(options):
        config["MaskedPaths"], config["ReadonlyPaths"] = [], []


def _tmpfs(specs: Sequence[str]) -> dict[str, str]:
    mounts = {}
    for spec in specs:
        target, _, options = spec.partition(":")
        mounts[target] = options
    return mounts
