from __future__ import annotations

from typing import Any

import pytest

from pyctr.engine.container.config import container_config, host_config
from pyctr.engine.container.log_options import log_options
from pyctr.engine.container.update import merged
from pyctr.engine.signals import parse
from pyctr.errors import Conflict, InvalidParameter, Unsupported

IMAGE: dict[str, Any] = {
    "Cmd": ["serve"],
    "Entrypoint": ["/entry"],
    "Env": ["PATH=/bin", "A=image", "SECRET", "=x"],
    "User": "app",
    "WorkingDir": "/srv",
    "Labels": {"from": "image", "both": "image"},
    "Volumes": {"/data": {}},
    "StopSignal": "SIGINT",
}
ID = "0123456789ab" + "c" * 52


def made(body: dict[str, Any], image: dict[str, Any] | None = None) -> dict[str, Any]:
    return dict(container_config({"Image": "i", **body}, IMAGE if image is None else image, ID))  # type: ignore[typeddict-item]


def test_the_image_fills_what_is_left_open() -> None:
    config = made({"Labels": {"both": "mine"}, "Env": ["A=mine", "B=1"]})
    assert (config["Entrypoint"], config["Cmd"]) == (["/entry"], ["serve"])
    assert config["Env"] == ["A=mine", "B=1", "PATH=/bin"]
    assert (config["User"], config["WorkingDir"], config["StopSignal"]) == ("app", "/srv", "SIGINT")
    assert config["Labels"] == {"from": "image", "both": "mine"}
    assert config["Hostname"] == "0123456789ab"
    assert config["Volumes"] == {"/data": {}}


@pytest.mark.parametrize(
    ("body", "entrypoint", "command"),
    [
        ({}, ["/entry"], ["serve"]),
        ({"Cmd": ["x"]}, ["/entry"], ["x"]),
        ({"Entrypoint": ["mine"]}, ["mine"], None),
        ({"Entrypoint": ["mine"], "Cmd": ["x"]}, ["mine"], ["x"]),
        ({"Entrypoint": [""], "Cmd": ["x"]}, None, ["x"]),
        ({"Entrypoint": "mine"}, ["mine"], None),
    ],
)
def test_entrypoint_and_command(body: dict[str, Any], entrypoint: list[str], command: list[str]) -> None:
    config = made(body)
    assert (config["Entrypoint"], config["Cmd"]) == (entrypoint, command)


def test_a_variable_without_a_value_takes_the_images_away() -> None:
    assert made({"Env": ["A"]})["Env"] == ["PATH=/bin"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"Tty": "yes"}, "invalid Tty"),
        ({"Env": ["A=1", 2]}, "invalid Env: every item must be a string"),
        ({"Cmd": ["a\0b"]}, "NUL byte"),
        ({"WorkingDir": "srv"}, "'srv' is invalid, it needs to be an absolute path"),
        ({"Hostname": "x" * 65}, "invalid hostname"),
        ({"StopSignal": "SIGNOPE"}, "invalid signal: SIGNOPE"),
    ],
)
def test_what_cannot_be_is_refused(body: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidParameter, match=words):
        made(body)


def test_a_command_is_needed() -> None:
    with pytest.raises(InvalidParameter, match="no command specified"):
        made({}, {})


def test_host_defaults() -> None:
    config = host_config({"NetworkMode": "", "ShmSize": 0})
    assert config["NetworkMode"] == "none"
    assert config["ShmSize"] == 64 << 20
    assert config["LogConfig"] == {"Type": "json-file", "Config": {}}
    assert config["RestartPolicy"] == {"Name": "no", "MaximumRetryCount": 0}


def test_host_refusals() -> None:
    with pytest.raises(Unsupported, match='restart policy "always"'):
        host_config({"RestartPolicy": {"Name": "always"}})
    with pytest.raises(InvalidParameter, match="unknown policy 'sometimes'"):
        host_config({"RestartPolicy": {"Name": "sometimes"}})
    with pytest.raises(InvalidParameter, match="logging plugin syslog"):
        host_config({"LogConfig": {"Type": "syslog"}})


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, (0, 1)), ({"max-size": "10m", "max-file": "3"}, (10_000_000, 3)), ({"max-size": "512"}, (512, 1)),
     ({"max-size": "1k"}, (1000, 1)), ({"max-size": "-1"}, (0, 1))],
)  # fmt: skip
def test_log_options(options: dict[str, str], expected: tuple[int, int]) -> None:
    assert log_options(options) == expected


@pytest.mark.parametrize(
    "options",
    [{"max-size": "ten"}, {"max-file": "0"}, {"max-file": "²"}, {"colour": "red"}, {"max-size": "0"}],
)
def test_bad_log_options(options: dict[str, str]) -> None:
    with pytest.raises(InvalidParameter):
        log_options(options)


_FAILED = "failed to initialize logging driver: "


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max-size": "10x"}, f"{_FAILED}invalid size: '10x'"),
        ({"max-size": "0"}, f"{_FAILED}max-size must be a positive number"),
        ({"max-file": "0", "max-size": "1m"}, f"{_FAILED}max-file cannot be less than 1"),
        ({"max-file": "a"}, f'{_FAILED}strconv.Atoi: parsing "a": invalid syntax'),
        ({"compress": "x"}, f'{_FAILED}strconv.ParseBool: parsing "x": invalid syntax'),
        (
            {"compress": "true"},
            f"{_FAILED}compress cannot be true when max-file is less than 2 or max-size is not set",
        ),
        ({"mode": "x"}, "logger: logging mode not supported: x"),
        (
            {"max-buffer-size": "1m"},
            "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
        ),
        ({"x": "y"}, "unknown log opt 'x' for json-file log driver"),
    ],
)
def test_bad_log_options_are_told_in_dockers_words(options: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        log_options(options)
    assert str(caught.value) == words


def test_what_this_engine_has_no_second_of() -> None:
    with pytest.raises(InvalidParameter, match="unknown or invalid runtime name: runc"):
        host_config({"Runtime": "runc"})
    with pytest.raises(InvalidParameter, match="invalid isolation"):
        host_config({"Isolation": "hyperv"})
    with pytest.raises(InvalidParameter, match="unknown option colour"):
        host_config({"StorageOpt": {"colour": "red"}})
    with pytest.raises(Unsupported, match="--storage-opt size"):
        host_config({"StorageOpt": {"size": "1g"}})


def test_sharing_with_the_host_takes_the_label_away() -> None:
    for given in ({"PidMode": "host"}, {"IpcMode": "host"}, {"Privileged": True}):
        assert host_config(given)["SecurityOpt"] == ["label=disable"]  # type: ignore[arg-type]
    assert host_config({"Privileged": True, "SecurityOpt": ["label=type:x"]})["SecurityOpt"] == [
        "label=type:x"
    ]
    assert host_config({})["SecurityOpt"] is None


def test_the_working_directory_is_cleaned() -> None:
    made = container_config({"Cmd": ["x"], "WorkingDir": "//a/./b/../c/"}, {}, "0" * 64)
    assert made["WorkingDir"] == "/a/c"


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(InvalidParameter, match="cannot be written as UTF-8"):
        container_config({"Cmd": ["\udcff"]}, {}, "0" * 64)


@pytest.mark.parametrize(("text", "number"), [("9", 9), ("KILL", 9), ("sigterm", 15), ("SIGRTMIN+3", 37)])
def test_signals(text: str, number: int) -> None:
    assert parse(text) == number


@pytest.mark.parametrize("text", ["", "0", "65", "SIG", "_DFL", "RTMIN+31", "SIGRTMIN+", "-1"])
def test_no_signals(text: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid signal"):
        parse(text)


def test_update_rules() -> None:
    assert merged({"Memory": 5, "CpuShares": 1}, {"Memory": 7}) == {"Memory": 7, "CpuShares": 1}
    with pytest.raises(Conflict, match="memoryswap"):
        merged({"MemorySwap": 10}, {"Memory": 20})
    with pytest.raises(Conflict, match="NanoCPUs"):
        merged({"NanoCpus": 10}, {"CpuQuota": 20})
