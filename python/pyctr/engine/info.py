"""info and version: what this engine and this machine are."""

from __future__ import annotations

import os
import sys
import time

from pyctr import _core
from pyctr.engine.clock import rfc3339
from pyctr.engine.container.select import shown_state
from pyctr.engine.facts import machine
from pyctr.engine.recover import everything

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyctr.engine.core import Core

API_VERSION = "1.51"
MIN_API_VERSION = "1.24"
PLUGINS = {
    "Volume": ["local"],
    "Network": ["host", "none"],
    "Authorization": None,
    "Log": ["json-file", "none"],
}
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "386", "armv7l": "arm"}


def info(core: Core) -> dict[str, Any]:
    """``GET /info``."""
    from pyctr.engine.image.list import everything as all_images

    rows = everything(core)
    states = [shown_state(row) for row in rows]
    facts, system = machine(), os.uname()
    security = ["name=seccomp,profile=builtin"]
    if os.path.exists("/proc/self/ns/cgroup") and facts["cgroup_version"] == 2:
        security.append("name=cgroupns")
    controllers = facts["controllers"]
    release = _os_release()
    return {
        "ID": core.paths.root,
        "Containers": len(rows),
        "ContainersRunning": states.count("running"),
        "ContainersPaused": states.count("paused"),
        "ContainersStopped": len(rows) - states.count("running") - states.count("paused"),
        "Images": len(all_images(core)[0]),
        "Driver": core.driver.name,
        "DriverStatus": _other_drivers(core),
        "Plugins": PLUGINS,
        "MemoryLimit": "memory" in controllers,
        "SwapLimit": facts["swap_limit"],
        "CpuCfsPeriod": "cpu" in controllers,
        "CpuCfsQuota": "cpu" in controllers,
        "CPUShares": "cpu" in controllers,
        "CPUSet": "cpuset" in controllers,
        "PidsLimit": "pids" in controllers,
        "OomKillDisable": "memory" in controllers and facts["cgroup_version"] == 1,
        "IPv4Forwarding": _text("/proc/sys/net/ipv4/ip_forward").strip() == "1",
        "Debug": False,
        "NFd": len(os.listdir("/proc/self/fd")),
        "NGoroutines": 1,
        "NEventsListener": 0,
        "SystemTime": rfc3339(time.time_ns()),
        "LoggingDriver": "json-file",
        "CgroupDriver": "cgroupfs",
        "CgroupVersion": str(facts["cgroup_version"]),
        "KernelVersion": system.release,
        "OperatingSystem": release.get("PRETTY_NAME", "Linux"),
        "OSVersion": release.get("VERSION_ID", ""),
        "OSType": "linux",
        "Architecture": system.machine,
        "NCPU": facts["cpus"],
        "MemTotal": _memory_total(),
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": None,
        "GenericResources": None,
        "DockerRootDir": core.paths.root,
        "HttpProxy": "",
        "HttpsProxy": "",
        "NoProxy": "",
        "Name": system.nodename,
        "Labels": [],
        "ExperimentalBuild": False,
        "ServerVersion": _core.__version__,
        "Runtimes": {"pyctr": {"path": oci_path()}},
        "DefaultRuntime": "pyctr",
        "Swarm": {"LocalNodeState": "inactive"},
        "LiveRestoreEnabled": True,
        "Isolation": "",
        "InitBinary": "pyctr-shim",
        "SecurityOptions": security,
        "CDISpecDirs": [],
        "Warnings": None,
        "PyctrOciPath": oci_path(),
        "PyctrRunRoot": core.paths.run_root,
    }


def _other_drivers(core: Core) -> list[list[str]]:
    """What to say about each storage driver that is not in use: why it cannot be, if so."""
    from pyctr.store.drivers import reasons

    used = core.driver.name  # chosen first, which makes the store if there is none
    found = reasons(core.paths)
    return [[name, found[name] or "works here, not in use"] for name in found if name != used]


def version() -> dict[str, Any]:
    """``GET /version``."""
    system = os.uname()
    architecture = _ARCHITECTURES.get(system.machine, system.machine)
    details = {
        "ApiVersion": API_VERSION,
        "Arch": architecture,
        "KernelVersion": system.release,
        "Os": "linux",
    }
    python = ".".join(map(str, sys.version_info[:3]))
    return {
        "Platform": {"Name": "pyctr"},
        "Components": [
            {"Name": "Engine", "Version": _core.__version__, "Details": details},
            {"Name": "Python", "Version": python, "Details": {}},
        ],
        "Version": _core.__version__,
        "ApiVersion": API_VERSION,
        "MinAPIVersion": MIN_API_VERSION,
        "GitCommit": "",
        "GoVersion": "",
        "Os": "linux",
        "Arch": architecture,
        "KernelVersion": system.release,
        "BuildTime": "",
    }


def oci_path() -> str:
    """The binary that is the OCI runtime, for other engines' configuration."""
    from pyctr.engine.container.start import SHIM

    return SHIM


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _os_release() -> dict[str, str]:
    pairs = (line.partition("=") for line in _text("/etc/os-release").splitlines() if "=" in line)
    return {key: value.strip("\"'") for key, _, value in pairs}


def _memory_total() -> int:
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return 0
