"""The documents of the Docker Engine API v1.51 that go in and out of the engine.

They are plain dictionaries; these classes only name their keys for the type checker. Nothing imports this
module at run time (``typing`` alone would cost the hot path more than the database does).
Units are the API's: bytes, nanoseconds for ``NanoCpus`` and intervals, RFC 3339 for times unless said.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

Json = dict[str, Any]
Filters = dict[str, list[str]]
"""``{"status": ["running"], "label": ["a=b"]}``: values of one key are alternatives, keys all must hold."""

Status = Literal["created", "running", "paused", "restarting", "removing", "exited", "dead"]


class Ulimit(TypedDict):
    Name: str
    Soft: int
    Hard: int


class DeviceMapping(TypedDict):
    PathOnHost: str
    PathInContainer: str
    CgroupPermissions: str


class DeviceRequest(TypedDict, total=False):
    Driver: str
    Count: int
    DeviceIDs: list[str]
    Capabilities: list[list[str]]
    Options: dict[str, str]


class ThrottleDevice(TypedDict):
    Path: str
    Rate: int


class WeightDevice(TypedDict):
    Path: str
    Weight: int


class RestartPolicy(TypedDict, total=False):
    Name: str
    MaximumRetryCount: int


class LogConfig(TypedDict, total=False):
    Type: str
    Config: dict[str, str]


class Resources(TypedDict, total=False):
    """The part of HostConfig that ``update`` may change."""

    CpuShares: int
    Memory: int
    CgroupParent: str
    BlkioWeight: int
    BlkioWeightDevice: list[WeightDevice]
    BlkioDeviceReadBps: list[ThrottleDevice]
    BlkioDeviceWriteBps: list[ThrottleDevice]
    BlkioDeviceReadIOps: list[ThrottleDevice]
    BlkioDeviceWriteIOps: list[ThrottleDevice]
    CpuPeriod: int
    CpuQuota: int
    CpuRealtimePeriod: int
    CpuRealtimeRuntime: int
    CpusetCpus: str
    CpusetMems: str
    Devices: list[DeviceMapping]
    DeviceCgroupRules: list[str]
    DeviceRequests: list[DeviceRequest]
    KernelMemoryTCP: int
    MemoryReservation: int
    MemorySwap: int
    MemorySwappiness: int | None
    NanoCpus: int
    OomKillDisable: bool | None
    Init: bool | None
    PidsLimit: int | None
    Ulimits: list[Ulimit]


class UpdateBody(Resources, total=False):
    """The body of ``POST /containers/{id}/update``."""

    RestartPolicy: RestartPolicy


class BindOptions(TypedDict, total=False):
    Propagation: str
    NonRecursive: bool
    CreateMountpoint: bool
    ReadOnlyNonRecursive: bool
    ReadOnlyForceRecursive: bool


class DriverConfig(TypedDict, total=False):
    Name: str
    Options: dict[str, str]


class VolumeOptions(TypedDict, total=False):
    NoCopy: bool
    Labels: dict[str, str]
    DriverConfig: DriverConfig
    Subpath: str


class TmpfsOptions(TypedDict, total=False):
    SizeBytes: int
    Mode: int
    Options: list[list[str]]


class ImageOptions(TypedDict, total=False):
    Subpath: str


class Mount(TypedDict, total=False):
    """One ``--mount``."""

    Target: str
    Source: str
    Type: str
    ReadOnly: bool
    Consistency: str
    BindOptions: BindOptions
    VolumeOptions: VolumeOptions
    ImageOptions: ImageOptions
    TmpfsOptions: TmpfsOptions


class PortBinding(TypedDict, total=False):
    HostIp: str
    HostPort: str


class HostConfig(Resources, total=False):
    """What a container may take from the host."""

    Binds: list[str] | None
    ContainerIDFile: str
    LogConfig: LogConfig
    NetworkMode: str
    PortBindings: dict[str, list[PortBinding]]
    RestartPolicy: RestartPolicy
    AutoRemove: bool
    VolumeDriver: str
    VolumesFrom: list[str] | None
    Mounts: list[Mount]
    ConsoleSize: list[int]
    Annotations: dict[str, str]
    CapAdd: list[str] | None
    CapDrop: list[str] | None
    CgroupnsMode: str
    Dns: list[str]
    DnsOptions: list[str]
    DnsSearch: list[str]
    ExtraHosts: list[str] | None
    GroupAdd: list[str] | None
    IpcMode: str
    Cgroup: str
    Links: list[str] | None
    OomScoreAdj: int
    PidMode: str
    Privileged: bool
    PublishAllPorts: bool
    ReadonlyRootfs: bool
    SecurityOpt: list[str] | None
    StorageOpt: dict[str, str]
    Tmpfs: dict[str, str]
    UTSMode: str
    UsernsMode: str
    ShmSize: int
    Sysctls: dict[str, str]
    Runtime: str
    Isolation: str
    MaskedPaths: list[str] | None
    ReadonlyPaths: list[str] | None


class HealthConfig(TypedDict, total=False):
    Test: list[str]
    Interval: int
    Timeout: int
    Retries: int
    StartPeriod: int
    StartInterval: int


class ImageConfig(TypedDict, total=False):
    """What an image says about the containers made from it."""

    User: str
    ExposedPorts: dict[str, Json] | None
    Env: list[str] | None
    Cmd: list[str] | None
    Entrypoint: list[str] | None
    Healthcheck: HealthConfig
    ArgsEscaped: bool
    Volumes: dict[str, Json] | None
    WorkingDir: str
    OnBuild: list[str] | None
    Labels: dict[str, str] | None
    StopSignal: str
    Shell: list[str] | None


class ContainerConfig(ImageConfig, total=False):
    """What runs in the container, whatever the host."""

    Hostname: str
    Domainname: str
    AttachStdin: bool
    AttachStdout: bool
    AttachStderr: bool
    Tty: bool
    OpenStdin: bool
    StdinOnce: bool
    Image: str
    NetworkDisabled: bool
    MacAddress: str
    StopTimeout: int | None


class CreateBody(ContainerConfig, total=False):
    """The body of ``POST /containers/create``: a ContainerConfig with two more keys."""

    HostConfig: HostConfig
    NetworkingConfig: Json


class CreateReply(TypedDict):
    Id: str
    Warnings: list[str]


class UpdateReply(TypedDict):
    Warnings: list[str]


class HealthcheckResult(TypedDict, total=False):
    Start: str
    End: str
    ExitCode: int
    Output: str


class Health(TypedDict, total=False):
    Status: str
    FailingStreak: int
    Log: list[HealthcheckResult]


class State(TypedDict):
    Status: Status
    Running: bool
    Paused: bool
    Restarting: bool
    OOMKilled: bool
    Dead: bool
    Pid: int
    ExitCode: int
    Error: str
    StartedAt: str
    FinishedAt: str
    Health: NotRequired[Health]


class MountPoint(TypedDict, total=False):
    """One mount of a container, resolved."""

    Type: str
    Name: str
    Source: str
    Destination: str
    Driver: str
    Mode: str
    RW: bool
    Propagation: str


class DriverData(TypedDict):
    Name: str
    Data: dict[str, str] | None


class ContainerInspect(TypedDict):
    Id: str
    Created: str
    Path: str
    Args: list[str]
    State: State
    Image: str
    ResolvConfPath: str
    HostnamePath: str
    HostsPath: str
    LogPath: str
    Name: str
    """With a leading slash, as docker has it."""
    RestartCount: int
    Driver: str
    Platform: str
    MountLabel: str
    ProcessLabel: str
    AppArmorProfile: str
    ExecIDs: list[str] | None
    HostConfig: HostConfig
    GraphDriver: DriverData
    SizeRw: NotRequired[int]
    SizeRootFs: NotRequired[int]
    Mounts: list[MountPoint]
    Config: ContainerConfig
    NetworkSettings: Json


class ContainerSummary(TypedDict):
    Id: str
    Names: list[str]
    Image: str
    ImageID: str
    Command: str
    Created: int
    Ports: list[Json]
    SizeRw: NotRequired[int]
    SizeRootFs: NotRequired[int]
    Labels: dict[str, str]
    State: Status
    Status: str
    """For people: ``Up 3 minutes``, ``Exited (0) 2 hours ago``."""
    HostConfig: Json
    NetworkSettings: Json
    Mounts: list[MountPoint]


class FilesystemChange(TypedDict):
    Path: str
    Kind: int
    """0 modified, 1 added, 2 deleted."""


Changes = list[FilesystemChange]


class TopReply(TypedDict):
    Titles: list[str]
    Processes: list[list[str]]


class WaitReply(TypedDict):
    StatusCode: int
    Error: NotRequired[Json]


class PathStat(TypedDict):
    """What ``GET/HEAD /containers/{id}/archive`` says about a path, docker's X-Docker-Container-Path-Stat."""

    name: str
    size: int
    mode: int
    """Go's os.FileMode: permission bits, and 1<<31 for a directory, 1<<27 for a symbolic link."""
    mtime: str
    linkTarget: str


class ExecBody(TypedDict, total=False):
    """The body of ``POST /containers/{id}/exec``."""

    AttachStdin: bool
    AttachStdout: bool
    AttachStderr: bool
    DetachKeys: str
    Tty: bool
    Env: list[str]
    Cmd: list[str]
    Privileged: bool
    User: str
    WorkingDir: str
    ConsoleSize: list[int]


class ExecInspect(TypedDict):
    CanRemove: bool
    DetachKeys: str
    ID: str
    Running: bool
    ExitCode: int | None
    ProcessConfig: Json
    OpenStdin: bool
    OpenStderr: bool
    OpenStdout: bool
    ContainerID: str
    Pid: int


class UsageData(TypedDict):
    Size: int
    RefCount: int


class Volume(TypedDict):
    Name: str
    Driver: str
    Mountpoint: str
    CreatedAt: str
    Labels: dict[str, str] | None
    Scope: str
    Options: dict[str, str] | None
    UsageData: NotRequired[UsageData]


class VolumeCreateBody(TypedDict, total=False):
    Name: str
    Driver: str
    DriverOpts: dict[str, str]
    Labels: dict[str, str]


class VolumeList(TypedDict):
    Volumes: list[Volume]
    Warnings: list[str] | None


class PruneReply(TypedDict, total=False):
    ContainersDeleted: list[str] | None
    VolumesDeleted: list[str] | None
    ImagesDeleted: list[Json] | None
    SpaceReclaimed: int


class ImageInspect(TypedDict, total=False):
    Id: str
    RepoTags: list[str]
    RepoDigests: list[str]
    Parent: str
    Comment: str
    Created: str
    DockerVersion: str
    Author: str
    Config: ImageConfig
    Architecture: str
    Variant: str
    Os: str
    Size: int
    GraphDriver: DriverData
    RootFS: Json
    Metadata: Json


class ImageSummary(TypedDict, total=False):
    Id: str
    ParentId: str
    RepoTags: list[str]
    RepoDigests: list[str]
    Created: int
    Size: int
    SharedSize: int
    Labels: dict[str, str] | None
    Containers: int


Deleted = list[dict[str, str]]
"""What removing an image did, in order: ``{"Untagged": ref}`` and ``{"Deleted": id}``."""


History = list[Json]


class EventActor(TypedDict):
    ID: str
    Attributes: dict[str, str]


class Event(TypedDict):
    Type: str
    Action: str
    Actor: EventActor
    scope: str
    time: int
    timeNano: int


class DiskUsage(TypedDict):
    """What everything takes of the disk, in bytes."""

    LayersSize: int
    Images: list[ImageSummary]
    Containers: list[ContainerSummary]
    Volumes: list[Volume]
    BuildCache: list[Json]
