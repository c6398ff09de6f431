"""/etc/hosts, /etc/hostname and /etc/resolv.conf of a container: made anew at each start.

They lie among its lasting files although they need not last: the container may write to them as much as it
likes, and the run root is mostly a file system in memory that the whole machine needs.
"""

from __future__ import annotations

import os

from pyctr.errors import InvalidParameter
from pyctr.store import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.engine import types as t
    from pyctr.engine.core import Core
    from pyctr.engine.spec.facts import HostFacts

LOCAL_HOSTS = """\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
"""


def write(core: Core, id: str, config: t.ContainerConfig, host: t.HostConfig) -> None:
    """Write the three files, unless the container shares those of the one whose network it joins."""
    if host["NetworkMode"].startswith("container:"):
        return
    directory = core.paths.container(id)
    name, domain = config.get("Hostname") or id[:12], config.get("Domainname")
    full = f"{name}.{domain}" if domain else name
    files.replace(f"{directory}/hostname", f"{full}\n".encode(), 0o644)
    files.replace(f"{directory}/hosts", hosts(host).encode(), 0o644)
    files.replace(f"{directory}/resolv.conf", resolv_conf(host).encode(), 0o644)


def locate(core: Core, id: str, host: t.HostConfig, facts: HostFacts) -> None:
    """Tell ``facts`` where they are."""
    directory = core.paths.container(host["NetworkMode"].partition("container:")[2] or id)
    facts.hosts_path = f"{directory}/hosts"
    facts.hostname_path = f"{directory}/hostname"
    facts.resolv_conf_path = f"{directory}/resolv.conf"


def hosts(host: t.HostConfig) -> str:
    """/etc/hosts: the host's own with the host's network, else the local names; then ``--add-host``."""
    text = _host_file("/etc/hosts") if host["NetworkMode"] == "host" else LOCAL_HOSTS
    for entry in host.get("ExtraHosts") or ():
        name, separator, address = entry.partition(":")
        if "=" in entry.split(":")[0]:
            name, separator, address = entry.partition("=")
        if not separator or not name or not address:
            raise InvalidParameter(f'bad format for add-host: "{entry}"')
        if address == "host-gateway":
            raise InvalidParameter("host-gateway needs a network: use --add-host with an address")
        text += f"{address.strip('[]')}\t{name}\n"
    return text


def resolv_conf(host: t.HostConfig) -> str:
    """The content of /etc/resolv.conf: the host's, with what ``--dns``… replace."""
    text = _host_file("/etc/resolv.conf")
    servers, search, options = host.get("Dns"), host.get("DnsSearch"), host.get("DnsOptions")
    if not (servers or search or options):
        return text
    lines = []
    replaced = {word for word, value in (("nameserver", servers), ("search", search), ("domain", search),
                                         ("options", options)) if value}  # fmt: skip
    if search and search != ["."]:
        lines.append("search " + " ".join(search))
    lines += [f"nameserver {server}" for server in servers or ()]
    kept = [line for line in text.splitlines() if line.split(None, 1)[:1] and line.split()[0] not in replaced]
    lines = [*(line for line in kept if not line.startswith(("#", ";"))), *lines]
    if options:
        lines.append("options " + " ".join(options))
    return "\n".join(lines) + "\n"


def _host_file(path: str) -> str:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(fd, "rb") as file:
        return file.read(64 << 10).decode("utf-8", "replace")
