"""What a container is made from: the request, checked, and filled up from the image and from defaults."""

from __future__ import annotations

from pyctr.engine.container.log_options import log_options
from pyctr.errors import InvalidParameter, Unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pyctr.engine import types as t

SHM_BYTES = 64 << 20
DEFAULTS = {"NetworkMode": "none", "IpcMode": "private", "ShmSize": SHM_BYTES, "Runtime": "pyctr"}

_CONFIG_KINDS: dict[str, type | tuple[type, ...]] = {
    "Hostname": str,
    "Domainname": str,
    "User": str,
    "AttachStdin": bool,
    "AttachStdout": bool,
    "AttachStderr": bool,
    "ExposedPorts": dict,
    "Tty": bool,
    "OpenStdin": bool,
    "StdinOnce": bool,
    "Env": list,
    "Cmd": (list, str),
    "Healthcheck": dict,
    "Image": str,
    "Volumes": dict,
    "WorkingDir": str,
    "Entrypoint": (list, str),
    "NetworkDisabled": bool,
    "Labels": dict,
    "StopSignal": str,
    "StopTimeout": int,
    "Shell": list,
}
_TEXTS = ("Env", "Cmd", "Entrypoint", "Shell")


def container_config(body: t.CreateBody, image: Mapping[str, Any], id: str) -> t.ContainerConfig:
    """The Config of a new container: the request's, with what it leaves open taken from the image's.

    An image's Env entry without ``=`` is dropped: it would make the container inherit from its host.
    """
    _check_kinds(body)
    config: dict[str, Any] = {
        "Hostname": body.get("Hostname") or id[:12],
        "Domainname": body.get("Domainname") or "",
        "User": body.get("User") or image.get("User") or "",
        "AttachStdin": bool(body.get("AttachStdin")),
        "AttachStdout": bool(body.get("AttachStdout")),
        "AttachStderr": bool(body.get("AttachStderr")),
        "Tty": bool(body.get("Tty")),
        "OpenStdin": bool(body.get("OpenStdin")),
        "StdinOnce": bool(body.get("StdinOnce")),
        "Env": _environment(body.get("Env") or [], image.get("Env") or []),
        "Image": body.get("Image") or "",
        "Volumes": _union(body.get("Volumes"), image.get("Volumes")),
        "WorkingDir": _clean(body.get("WorkingDir") or image.get("WorkingDir") or ""),
        "Labels": {**(image.get("Labels") or {}), **(body.get("Labels") or {})},
    }
    config["Cmd"], config["Entrypoint"] = _command(body, image)
    for key, value in (
        ("ExposedPorts", _union(body.get("ExposedPorts"), image.get("ExposedPorts"))),
        ("Healthcheck", body.get("Healthcheck") or image.get("Healthcheck")),
        ("StopSignal", body.get("StopSignal") or image.get("StopSignal")),
        ("StopTimeout", body.get("StopTimeout")),
        ("Shell", body.get("Shell") or image.get("Shell")),
    ):
        if value is not None and value != "":
            config[key] = value
    _check_config(config)
    return config  # type: ignore[return-value]


def host_config(given: t.HostConfig) -> t.HostConfig:
    """The HostConfig of a new container, defaults filled in."""
    check_restart(given.get("RestartPolicy") or {})
    config: dict[str, Any] = {
        **DEFAULTS,
        "Binds": None,
        "ContainerIDFile": "",
        "PortBindings": {},
        "AutoRemove": False,
        "VolumeDriver": "",
        "VolumesFrom": None,
        "CapAdd": None,
        "CapDrop": None,
        "Dns": [],
        "DnsOptions": [],
        "DnsSearch": [],
        "ExtraHosts": None,
        "GroupAdd": None,
        "Cgroup": "",
        "OomScoreAdj": 0,
        "PidMode": "",
        "Privileged": False,
        "ReadonlyRootfs": False,
        "SecurityOpt": None,
        "UTSMode": "",
        "UsernsMode": "",
    }
    config.update((key, value) for key, value in given.items() if value is not None)
    for key in ("NetworkMode", "IpcMode", "ShmSize", "Runtime"):
        config[key] = config[key] or DEFAULTS[key]
    config["RestartPolicy"] = {"Name": "no", "MaximumRetryCount": 0}
    config["LogConfig"] = _log_config(given.get("LogConfig") or {})
    if config["ShmSize"] < 0:
        raise InvalidParameter("SHM size can not be less than 0")
    _check_technology(config)
    _unlabel(config)
    return config  # type: ignore[return-value]


def _check_technology(config: Mapping[str, Any]) -> None:
    """There is one runtime, one way to isolate, and no driver that can limit a container's files."""
    if config["Runtime"] != DEFAULTS["Runtime"]:
        raise InvalidParameter(f"unknown or invalid runtime name: {config['Runtime']}")
    isolation = config.get("Isolation") or "default"
    if isolation.lower() != "default":
        raise InvalidParameter(f"invalid isolation: \"{isolation}\": linux only supports 'default'")
    for key in config.get("StorageOpt") or ():
        if key != "size":
            raise InvalidParameter(f"unknown option {key}")
        raise Unsupported("--storage-opt size is not supported by the storage drivers here")


def settle_memory(host: t.HostConfig, *, swap_limit: bool) -> None:
    """A limit of memory alone allows as much swap again, where the kernel counts swap."""
    memory = host.get("Memory") or 0
    if memory > 0 and not host.get("MemorySwap") and swap_limit:
        host["MemorySwap"] = 2 * memory


def _unlabel(config: dict[str, Any]) -> None:
    """Who shares the host's processes, or may do anything, is kept apart by labels only if asked to be."""
    options = config["SecurityOpt"] or []
    if not (config["Privileged"] or "host" in (config["PidMode"], config["IpcMode"])):
        return
    if not any(option.startswith(("label=", "label:")) for option in options):
        config["SecurityOpt"] = [*options, "label=disable"]


def _clean(path: str) -> str:
    """An absolute path without needless slashes and dots; what is none is left for the check."""
    if not path.startswith("/"):
        return path
    from posixpath import normpath

    return "/" + normpath(path).lstrip("/")


def _check_kinds(body: Mapping[str, Any]) -> None:
    for key, kind in _CONFIG_KINDS.items():
        value = body.get(key)
        if value is None:
            continue
        if not isinstance(value, kind):
            raise InvalidParameter(f"invalid {key}: a {type(value).__name__} is not what belongs there")
        if key in _TEXTS and isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise InvalidParameter(f"invalid {key}: every item must be a string")


def _check_config(config: Mapping[str, Any]) -> None:
    for key in _TEXTS:
        for item in config.get(key) or ():
            if "\0" in item:
                raise InvalidParameter(f"invalid {key}: a NUL byte in {item!r}")
            if not is_unicode(item):
                raise InvalidParameter(f"invalid {key}: {item!r} cannot be written as UTF-8")
    directory = config["WorkingDir"]
    if directory and not directory.startswith("/"):
        raise InvalidParameter(
            f"the working directory '{directory}' is invalid, it needs to be an absolute path"
        )
    if not config["Cmd"] and not config["Entrypoint"]:
        raise InvalidParameter("no command specified")
    host = config["Hostname"]
    if len(host) > 64 or any(char.isspace() or char == "\0" for char in host):
        raise InvalidParameter(f"invalid hostname: {host}")
    timeout = config.get("StopTimeout")
    if timeout is not None and timeout < -1:
        raise InvalidParameter(f"invalid StopTimeout: {timeout}")
    if config.get("StopSignal"):
        from pyctr.engine.signals import parse

        parse(config["StopSignal"])


def is_unicode(text: str) -> bool:
    """Whether there are no halves of characters in it, as which Python reads bytes that are no text."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _environment(wanted: list[str], offered: list[str]) -> list[str]:
    """The request's variables, then the image's that it does not name.

    ``NAME`` without ``=`` takes a variable away; in an image it would inherit from the host, and is dropped.
    """
    names = {entry.partition("=")[0] for entry in wanted}
    inherited = [entry for entry in offered if "=" in entry[1:] and entry.partition("=")[0] not in names]
    return [entry for entry in wanted if "=" in entry[1:]] + inherited


def _union(wanted: Mapping[str, Any] | None, offered: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {**(offered or {}), **(wanted or {})} or None


def _command(body: Mapping[str, Any], image: Mapping[str, Any]) -> tuple[list[str] | None, list[str] | None]:
    """Cmd and Entrypoint: an entrypoint of one's own makes the image's command meaningless."""
    command, entrypoint = _words(body.get("Cmd")), _words(body.get("Entrypoint"))
    if not entrypoint:
        if not command:
            command = _words(image.get("Cmd"))
        if entrypoint is None:
            entrypoint = _words(image.get("Entrypoint"))
    elif entrypoint == [""]:  # --entrypoint "": take none, not even the image's
        entrypoint = None
    return command, entrypoint


def _words(value: list[str] | str | None) -> list[str] | None:
    return [value] if isinstance(value, str) else value


def check_restart(policy: Mapping[str, Any]) -> None:
    name = policy.get("Name") or "no"
    if name == "no":
        return
    if name not in ("always", "unless-stopped", "on-failure"):
        raise InvalidParameter(f"invalid restart policy: unknown policy '{name}'")
    raise Unsupported(f'cannot use restart policy "{name}": supervisors do not restart containers yet')


def _log_config(given: Mapping[str, Any]) -> dict[str, Any]:
    driver, options = given.get("Type") or "json-file", dict(given.get("Config") or {})
    if driver not in ("json-file", "none"):
        raise InvalidParameter(f'error looking up logging plugin {driver}: plugin "{driver}" not found')
    log_options(options)
    return {"Type": driver, "Config": options}
