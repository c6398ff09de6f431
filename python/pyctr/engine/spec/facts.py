"""What `build` has to know about the machine and about what the engine has prepared for the container."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pyctr.engine.spec.devices import Device
    from pyctr.engine.spec.points import Point

ALL_CAPABILITIES = (1 << 64) - 1
NO_LIMIT = -1


class HostFacts:
    """Facts, found beforehand by the engine so that building a specification touches nothing.

    Every attribute has a default that fits an ordinary machine; set the ones that differ. A plain class with
    plain attributes, because importing dataclasses takes longer than building a specification.
    """

    # The container.
    id: str
    rootfs: str = "rootfs"
    """``root.path``: absolute, or relative to the bundle."""
    hostname_path: str = ""
    """File to appear as /etc/hostname; like the next two, empty for none."""
    hosts_path: str = ""
    resolv_conf_path: str = ""
    points: Sequence[Point] = ()
    """Volumes, binds and tmpfs, as `points.planned` gives them, ``Source`` filled in for volumes."""
    joined: Mapping[str, str] = {}
    """Namespaces of other containers, OCI type to path: ``{"network": "/proc/7/ns/net"}``."""
    shm_source: str = ""
    """The directory that is /dev/shm where IpcMode is container:ID; host needs none."""
    uid_mappings: Sequence[Mapping[str, int]] = ()
    """OCI mappings (containerID, hostID, size); not empty: the container has a user namespace of its own."""
    gid_mappings: Sequence[Mapping[str, int]] = ()

    # The machine.
    machine: str = "x86_64"
    """As uname(2) has it."""
    kernel: tuple[int, int] = (5, 14)
    cpus: int = 0
    """How many are online; 0: not known, and nothing is checked against it."""
    cpuset_cpus: str = ""
    """CPUs and memory nodes that may be asked for, as in ``0-3,8``; empty: not known."""
    cpuset_mems: str = ""
    cgroup_version: int = 1
    """2 where the unified hierarchy has the controllers, otherwise 1."""
    controllers: Collection[str] = ("blkio", "cpu", "cpuset", "devices", "freezer", "memory", "pids")
    """By their names in version 1, whatever the version."""
    cgroup_parent: str = "pyctr"
    swap_limit: bool = True
    """Whether the kernel accounts swap."""
    blkio_weight: bool = True
    """Whether some I/O scheduler honours weights."""
    time_namespace: bool = True
    apparmor_profile: str = ""
    """The profile that is loaded for containers; empty: AppArmor is off."""
    selinux_label: str = ""
    """The label for this container's processes; empty: SELinux is off."""
    mount_label: str = ""
    thermal_throttle: Sequence[str] = ()
    """Those of /sys/devices/system/cpu/cpu*/thermal_throttle that exist."""

    # What this process may do, and so at most its containers.
    bounding: int = ALL_CAPABILITIES
    """Its capability bounding set, a bit each."""
    effective: int = ALL_CAPABILITIES
    hard_limits: Mapping[str, int] = {}
    """Its hard limits by OCI name (RLIMIT_NOFILE …); -1, or absent: unlimited."""
    oom_score_adj: int = 0
    pids_limit: int = 2048
    """For containers that ask for nothing; 0: unlimited."""

    # Devices, looked up beforehand.
    devices: Mapping[str, Sequence[Device]] = {}
    """For each PathOnHost of HostConfig.Devices what is there: one device, or those below a directory."""
    host_devices: Sequence[Device] = ()
    """All of the host, for a privileged container; may stay empty otherwise."""
    block_devices: Mapping[str, tuple[int, int]] = {}
    """Major and minor of each path in the Blkio…Device keys."""

    def __init__(self, id: str) -> None:
        self.id = id
