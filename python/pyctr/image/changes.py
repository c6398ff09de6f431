"""``--change``: the Dockerfile instructions that touch an image's configuration and nothing else."""

from __future__ import annotations

from pyctr.errors import InvalidParameter
from pyctr.image.words import expand, json_array, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from pyctr.engine.types import HealthConfig, ImageConfig

_SHELL = ["/bin/sh", "-c"]
_NOT_IN_ONBUILD = ("ONBUILD", "FROM", "MAINTAINER")
_SECOND = 1_000_000_000


def apply(config: ImageConfig, changes: Iterable[str]) -> ImageConfig:
    """The configuration after the instructions, in their order. InvalidParameter for one that is none."""
    state = _State(config)
    for change in changes:
        state.apply(change)
    return state.config


class _State:
    """A configuration being changed, and what one instruction must know of those before."""

    def __init__(self, config: ImageConfig) -> None:
        self.config: ImageConfig = {**config}
        self.command_given = False

    def apply(self, line: str) -> None:
        word, _, rest = line.strip().partition(" ")
        instruction, rest = word.upper(), rest.strip()
        method = _INSTRUCTIONS.get(instruction)
        if method is None:
            raise InvalidParameter(f'"{word}" is not a valid change command: {line}')
        if not rest and instruction not in ("CMD", "ENTRYPOINT"):
            raise InvalidParameter(f"{instruction} requires at least one argument: {line}")
        method(self, rest)

    @property
    def environment(self) -> dict[str, str]:
        pairs = (entry.partition("=") for entry in self.config.get("Env") or ())
        return {name: value for name, _, value in pairs}

    def _expand(self, text: str) -> str:
        return expand(text, self.environment)

    def _words(self, text: str) -> list[str]:
        array = json_array(text)
        return [self._expand(word) for word in (split(text) if array is None else array)]

    def _pairs(self, instruction: str, text: str) -> list[tuple[str, str]]:
        """``NAME=value …``, or the old ``NAME value``, whose value is all that follows."""
        words = split(text)
        if "=" not in words[0]:
            name, _, value = text.partition(" ")
            if not value.strip():
                raise InvalidParameter(f"{instruction} must have two arguments: {text}")
            return [(self._expand(name), self._expand(value.strip()))]
        pairs = []
        for word in words:
            name, equals, value = word.partition("=")
            if not equals or not name:
                raise InvalidParameter(
                    f"syntax error - can't find = in {word!r}: it must be of the form name=value"
                )
            pairs.append((self._expand(name), self._expand(value)))
        return pairs

    def _command_line(self, text: str) -> list[str] | None:
        array = json_array(text)
        if array is not None:
            return array
        return [*(self.config.get("Shell") or _SHELL), text] if text else None

    def cmd(self, text: str) -> None:
        self.config["Cmd"] = self._command_line(text)
        self.command_given = True

    def entrypoint(self, text: str) -> None:
        self.config["Entrypoint"] = self._command_line(text)
        if not self.command_given:
            self.config["Cmd"] = None  # it was meant for the entrypoint before

    def env(self, text: str) -> None:
        pairs = self._pairs("ENV", text)
        environment = self.environment | dict(pairs)
        self.config["Env"] = [f"{name}={value}" for name, value in environment.items()]

    def label(self, text: str) -> None:
        self.config["Labels"] = (self.config.get("Labels") or {}) | dict(self._pairs("LABEL", text))

    def expose(self, text: str) -> None:
        ports: dict[str, Any] = {port: {} for word in self._words(text) for port in _ports(word)}
        self.config["ExposedPorts"] = (self.config.get("ExposedPorts") or {}) | ports

    def user(self, text: str) -> None:
        self.config["User"] = self._expand(text)

    def volume(self, text: str) -> None:
        words = self._words(text)
        if not all(words):
            raise InvalidParameter("VOLUME specified can not be an empty string")
        self.config["Volumes"] = (self.config.get("Volumes") or {}) | {word: {} for word in words}

    def workdir(self, text: str) -> None:
        import posixpath

        path = posixpath.join(self.config.get("WorkingDir") or "/", self._expand(text))
        self.config["WorkingDir"] = "/" + posixpath.normpath(path).lstrip("/")

    def onbuild(self, text: str) -> None:
        trigger = text.split(None, 1)[0].upper()
        if trigger in _NOT_IN_ONBUILD:
            raise InvalidParameter(f"{trigger} isn't allowed as an ONBUILD trigger")
        self.config["OnBuild"] = [*(self.config.get("OnBuild") or ()), text]

    def stopsignal(self, text: str) -> None:
        import signal

        name = self._expand(text).upper()
        known = {entry.name for entry in signal.Signals}
        if not (
            name.isdecimal() and name.isascii() and len(name) < 4 and 0 < int(name) <= 64
        ) and not known & {name, f"SIG{name}"}:
            raise InvalidParameter(f"invalid signal: {text}")
        self.config["StopSignal"] = name

    def shell(self, text: str) -> None:
        array = json_array(text)
        if not array:
            raise InvalidParameter("SHELL requires the arguments to be in JSON form")
        self.config["Shell"] = array

    def healthcheck(self, text: str) -> None:
        words = text.split()
        options: dict[str, str] = {}
        while words and words[0].startswith("--"):
            name, _, value = words.pop(0)[2:].partition("=")
            options[name] = value
        kind = words[0].upper() if words else ""
        if kind == "NONE" and not options and len(words) == 1:
            self.config["Healthcheck"] = {"Test": ["NONE"]}
            return
        if kind != "CMD" or len(words) < 2:
            raise InvalidParameter(f"HEALTHCHECK takes NONE, or CMD and a command: {text}")
        command = text[text.upper().index("CMD") + 3 :].strip()
        array = json_array(command)
        test = ["CMD-SHELL", command] if array is None else ["CMD", *array]
        health: HealthConfig = {"Test": test}
        for name, value in options.items():
            _set_health(health, name, value)
        self.config["Healthcheck"] = health


def _set_health(health: HealthConfig, name: str, value: str) -> None:
    from pyctr.engine.clock import parse_duration

    keys = {"interval": "Interval", "timeout": "Timeout", "start-period": "StartPeriod"}
    keys["start-interval"] = "StartInterval"
    try:
        if name == "retries":
            health["Retries"] = int(value)
            if int(value) < 0:
                raise ValueError("negative")
            return
        span = parse_duration(value)
    except ValueError:
        raise InvalidParameter(f"invalid value for the flag --{name} of HEALTHCHECK: {value!r}") from None
    if name not in keys:
        raise InvalidParameter(f"unknown flag of HEALTHCHECK: --{name}")
    if 0 < span < _SECOND // 1000:
        raise InvalidParameter(f"the flag --{name} of HEALTHCHECK cannot be less than 1ms: {value}")
    health[keys[name]] = span  # type: ignore[literal-required]


def _ports(text: str) -> list[str]:
    """``80``, ``80/udp`` or ``8000-8010/tcp`` as ``["80/tcp", …]``."""
    numbers, _, protocol = text.partition("/")
    protocol = protocol.lower() or "tcp"
    first, dash, last = numbers.partition("-")
    try:
        start, stop = int(first), int(last if dash else first)
    except ValueError:
        start, stop = 0, 0
    if protocol not in ("tcp", "udp", "sctp") or not 0 < start <= stop <= 65535:
        raise InvalidParameter(f"invalid containerPort: {text}")
    return [f"{port}/{protocol}" for port in range(start, stop + 1)]


_INSTRUCTIONS: dict[str, Callable[[_State, str], Any]] = {
    "CMD": _State.cmd,
    "ENTRYPOINT": _State.entrypoint,
    "ENV": _State.env,
    "EXPOSE": _State.expose,
    "HEALTHCHECK": _State.healthcheck,
    "LABEL": _State.label,
    "ONBUILD": _State.onbuild,
    "SHELL": _State.shell,
    "STOPSIGNAL": _State.stopsignal,
    "USER": _State.user,
    "VOLUME": _State.volume,
    "WORKDIR": _State.workdir,
}
