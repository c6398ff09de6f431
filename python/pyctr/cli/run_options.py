"""The options ``run`` and ``create`` share: all that ends up in the create body, and ``--name``."""

from __future__ import annotations

from pyctr.cli.command import Option
from pyctr.cli.values import (
    BOOL,
    BYTES,
    DECIMAL,
    INT,
    MAP,
    STRING,
    STRING_MAP,
    STRINGS,
    SWAP_BYTES,
    UINT16,
    Kind,
    checked_list,
    deferred,
)

PROCESS = (
    Option("entrypoint", "", STRING, "Overwrite the default ENTRYPOINT of the image", default=""),
    Option("env", "e", checked_list("pairs", "env"), "Set environment variables", complete="environment"),
    Option("env-file", "", STRINGS, "Read in a file of environment variables", complete="files"),
    Option("workdir", "w", STRING, "Working directory inside the container", default=""),
    Option("user", "u", STRING, "Username or UID (format: <name|uid>[:<group|gid>])", default=""),
    Option("group-add", "", STRINGS, "Add additional groups to join"),
    Option("interactive", "i", BOOL, "Keep STDIN open even if not attached"),
    Option("tty", "t", BOOL, "Allocate a pseudo-TTY"),
    Option("attach", "a", checked_list("pairs", "stream"), "Attach to STDIN, STDOUT or STDERR"),
    Option("init", "", BOOL, "Run an init inside the container that forwards signals and reaps processes"),
    Option("stop-signal", "", STRING, "Signal to stop the container", default="", complete="signals"),
    Option("stop-timeout", "", INT, "Timeout (in seconds) to stop a container", default=0),
    Option("ulimit", "", checked_list("ulimit", "ulimit", "ulimit"), "Ulimit options"),
    Option("oom-score-adj", "", INT, "Tune host's OOM preferences (-1000 to 1000)", default=0),
)
IDENTITY = (
    Option("name", "", STRING, "Assign a name to the container", default=""),
    Option("cidfile", "", STRING, "Write the container ID to the file", default="", complete="files"),
    Option("rm", "", BOOL, "Automatically remove the container and its anonymous volumes when it exits"),
    Option("hostname", "h", STRING, "Container host name", default=""),
    Option("domainname", "", STRING, "Container NIS domain name", default=""),
    Option("label", "l", checked_list("pairs", "label"), "Set meta data on a container"),
    Option("label-file", "", STRINGS, "Read in a line delimited file of labels", complete="files"),
    Option("annotation", "", STRING_MAP, "Add an annotation to the container (passed to the OCI runtime)"),
    Option("log-driver", "", STRING, "Logging driver for the container", default="", complete="log_drivers"),
    Option("log-opt", "", STRINGS, "Log driver options"),
    Option("runtime", "", STRING, "Runtime to use for this container", default=""),
    Option("isolation", "", STRING, "Container isolation technology", default=""),
    Option("disable-content-trust", "", BOOL, "Skip image verification, which there is none of", hidden=True),
)
NAMESPACES = (
    Option(
        "network",
        "",
        STRING,
        'Network of the container ("none", "host", "container:<name|id>")',
        default="default",
        also="net",
        complete="networks",
    ),
    Option("add-host", "", checked_list("hosts", "extra_host"), "Add a custom host-to-IP mapping (host:ip)"),
    Option("dns", "", checked_list("hosts", "ip_address"), "Set custom DNS servers"),
    Option("dns-option", "", STRINGS, "Set DNS options", also="dns-opt"),
    Option("dns-search", "", checked_list("hosts", "search_domain"), "Set custom DNS search domains"),
    Option("pid", "", STRING, "PID namespace to use", default=""),
    Option("ipc", "", STRING, "IPC mode to use", default=""),
    Option("uts", "", STRING, "UTS namespace to use", default=""),
    Option("userns", "", STRING, "User namespace to use", default=""),
    Option("cgroupns", "", STRING, "Cgroup namespace to use (host|private)", default=""),
    Option("cgroup-parent", "", STRING, "Optional parent cgroup for the container", default=""),
    Option("sysctl", "", Kind("map", MAP, deferred("pairs", "sysctl")), "Sysctl options"),
)
FILES = (
    Option("volume", "v", STRINGS, "Bind mount a volume"),
    Option(
        "mount", "", checked_list("mount", "mount", "mount"), "Attach a filesystem mount to the container"
    ),
    Option("tmpfs", "", STRINGS, "Mount a tmpfs directory"),
    Option(
        "volumes-from", "", STRINGS, "Mount volumes from the specified container(s)", complete="containers"
    ),
    Option("volume-driver", "", STRING, "Optional volume driver for the container", default=""),
    Option("read-only", "", BOOL, "Mount the container's root filesystem as read only"),
    Option("shm-size", "", BYTES, "Size of /dev/shm", default=0),
    Option("storage-opt", "", STRINGS, "Storage driver options for the container"),
    Option("device", "", STRINGS, "Add a host device to the container", complete="files"),
    Option(
        "gpus",
        "",
        checked_list("gpus", "request", "gpu-request"),
        "GPU devices to add to the container ('all' to pass all GPUs)",
    ),
    Option(
        "device-cgroup-rule",
        "",
        checked_list("device", "cgroup_rule"),
        "Add a rule to the cgroup allowed devices list",
    ),
)
SECURITY = (
    Option("privileged", "", BOOL, "Give extended privileges to this container"),
    Option("cap-add", "", STRINGS, "Add Linux capabilities", complete="capabilities"),
    Option("cap-drop", "", STRINGS, "Drop Linux capabilities", complete="capabilities"),
    Option("security-opt", "", STRINGS, "Security Options"),
)
RESOURCES = (
    Option("memory", "m", BYTES, "Memory limit", default=0),
    Option("memory-reservation", "", BYTES, "Memory soft limit", default=0),
    Option(
        "memory-swap",
        "",
        SWAP_BYTES,
        "Swap limit equal to memory plus swap: '-1' to enable unlimited swap",
        default=0,
    ),
    Option("cpu-shares", "c", INT, "CPU shares (relative weight)", default=0),
    Option("cpu-period", "", INT, "Limit CPU CFS (Completely Fair Scheduler) period", default=0),
    Option("cpu-quota", "", INT, "Limit CPU CFS (Completely Fair Scheduler) quota", default=0),
    Option("cpu-rt-period", "", INT, "Limit CPU real-time period in microseconds", default=0),
    Option("cpu-rt-runtime", "", INT, "Limit CPU real-time runtime in microseconds", default=0),
    Option("cpus", "", DECIMAL, "Number of CPUs", default=0),
    Option("cpuset-cpus", "", STRING, "CPUs in which to allow execution (0-3, 0,1)", default=""),
    Option("cpuset-mems", "", STRING, "MEMs in which to allow execution (0-3, 0,1)", default=""),
    Option("pids-limit", "", INT, "Tune container pids limit (set -1 for unlimited)", default=0),
    Option(
        "blkio-weight",
        "",
        UINT16,
        "Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)",
        default=0,
    ),
)
CREATION_RESOURCES = (
    Option("memory-swappiness", "", INT, "Tune container memory swappiness (0 to 100)", default=-1),
    Option("oom-kill-disable", "", BOOL, "Disable OOM Killer"),
    Option(
        "blkio-weight-device",
        "",
        checked_list("device", "weight"),
        "Block IO weight (relative device weight)",
    ),
    Option(
        "device-read-bps",
        "",
        checked_list("device", "rate_bps"),
        "Limit read rate (bytes per second) from a device",
    ),
    Option(
        "device-read-iops",
        "",
        checked_list("device", "rate_iops"),
        "Limit read rate (IO per second) from a device",
    ),
    Option(
        "device-write-bps",
        "",
        checked_list("device", "rate_bps"),
        "Limit write rate (bytes per second) to a device",
    ),
    Option(
        "device-write-iops",
        "",
        checked_list("device", "rate_iops"),
        "Limit write rate (IO per second) to a device",
    ),
)
CREATE = (*PROCESS, *IDENTITY, *NAMESPACES, *FILES, *SECURITY, *RESOURCES, *CREATION_RESOURCES)
