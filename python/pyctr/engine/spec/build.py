"""One OCI ``config.json`` from what an image says, what a user asks for and what the machine has."""

from __future__ import annotations

from pyctr.engine.spec.caps import granted
from pyctr.engine.spec.devices import devices
from pyctr.engine.spec.mounts import mounts, rootfs_propagation
from pyctr.engine.spec.namespaces import namespaces, own
from pyctr.engine.spec.process import oom_score_adj, process, rlimits
from pyctr.engine.spec.resources import resources
from pyctr.engine.spec.seccomp import seccomp
from pyctr.engine.spec.security import apparmor, options, paths, selinux
from pyctr.engine.spec.sysctl import sysctls
from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyctr.engine.spec.facts import HostFacts
    from pyctr.engine.spec.security import Options
    from pyctr.engine.types import ContainerConfig, CreateBody, HostConfig, ImageConfig

    Document = dict[str, Any]

OCI_VERSION = "1.2.1"


def build(image: ImageConfig | None, body: CreateBody, facts: HostFacts) -> tuple[Document, list[str]]:
    """Return ``config.json`` and what the user should be warned about.

    A pure function: it reads and changes nothing but copies of its arguments. ``image`` is None when ``body``
    is the configuration of an existing container, which has long taken from its image what it wanted.
    ``process.user`` is 0:0, because names mean something only in the container: shim.json has Config.User and
    `named_groups`.

    Raises InvalidParameter for what cannot be asked for.
    """
    host = body.get("HostConfig") or {}
    config: ContainerConfig = body
    if image is not None:
        from pyctr.engine.container.config import container_config

        config = container_config(body, image, facts.id)
    chosen = options(host.get("SecurityOpt") or ())
    spaces = namespaces(host, facts)
    capabilities, warnings = granted(host, facts.bounding)
    spec: Document = {
        "ociVersion": OCI_VERSION,
        "root": {"path": facts.rootfs, "readonly": bool(host.get("ReadonlyRootfs"))},
        "process": process(config, host, capabilities),
        "mounts": mounts(host, facts, own(spaces), writable_cgroups=_writable_cgroups(chosen, own(spaces))),
        "linux": {"namespaces": spaces, "cgroupsPath": cgroups_path(host, facts)},
    }
    if "uts" in own(spaces):
        spec["hostname"] = config.get("Hostname") or facts.id[:12]
        _add(spec, domainname=config.get("Domainname"))
    _add(spec, annotations=dict(host.get("Annotations") or {}))
    _limit(spec, host, facts, warnings)
    _secure(spec, host, facts, chosen, warnings)
    return spec, warnings


def _limit(spec: Document, host: HostConfig, facts: HostFacts, warnings: list[str]) -> None:
    """Add what the container may use: resources, devices, limits of its processes."""
    linux, runs = spec["linux"], spec["process"]
    linux["resources"], lost = resources(host, facts)
    nodes, linux["resources"]["devices"] = devices(host, facts)
    runs["rlimits"], lowered = rlimits(host, facts)
    runs["oomScoreAdj"], raised = oom_score_adj(host, facts)
    warnings += lost + lowered + raised
    _add(linux, devices=nodes)


def _secure(spec: Document, host: HostConfig, facts: HostFacts, chosen: Options, warnings: list[str]) -> None:
    """Add what keeps the container in: seccomp, labels, hidden paths, mappings of ids."""
    linux, runs = spec["linux"], spec["process"]
    spaces = own(linux["namespaces"])
    linux["sysctl"] = sysctls(host, spaces)
    linux["maskedPaths"], linux["readonlyPaths"] = paths(host, chosen, facts)
    runs["noNewPrivileges"] = chosen.no_new_privileges
    capabilities = runs["capabilities"]["effective"]
    label, mount_label = selinux(host, chosen, facts)
    profile = seccomp(chosen.seccomp, capabilities, facts, privileged=bool(host.get("Privileged")))
    _add(runs, apparmorProfile=apparmor(host, chosen, facts, warnings), selinuxLabel=label)
    _add(linux, seccomp=profile, mountLabel=mount_label, rootfsPropagation=rootfs_propagation(facts))
    if "user" in spaces:
        _add(linux, uidMappings=list(facts.uid_mappings), gidMappings=list(facts.gid_mappings))


def _add(document: Document, **entries: object) -> None:
    """Add the entries that are not empty."""
    document.update((key, value) for key, value in entries.items() if value)


def _writable_cgroups(chosen: Options, spaces: frozenset[str]) -> bool:
    """Whether the container may write its cgroups; only a namespace of its own keeps that harmless."""
    if chosen.writable_cgroups and "cgroup" not in spaces:
        raise InvalidParameter("option writable-cgroups needs a private cgroup namespace")
    return chosen.writable_cgroups


def cgroups_path(host: HostConfig, facts: HostFacts) -> str:
    """``linux.cgroupsPath``: ``/pyctr/<id>``, or below ``--cgroup-parent``."""
    parent = host.get("CgroupParent") or facts.cgroup_parent
    parts = [part for part in parent.split("/") if part]
    if not parts or not all(_is_plain(part) for part in parts):
        raise InvalidParameter(f'invalid cgroup parent: "{parent}"')
    return "/".join(["", *parts, facts.id])


def _is_plain(name: str) -> bool:
    """``[a-zA-Z0-9][a-zA-Z0-9_.-]*``: nothing that could climb or hide."""
    return name.isascii() and name[0].isalnum() and name.translate({95: "", 46: "", 45: ""}).isalnum()
