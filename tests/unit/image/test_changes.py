from __future__ import annotations

from typing import Any

import pytest

from pyctr.errors import InvalidParameter
from pyctr.image.changes import apply

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("changes", "key", "value"),
    [
        (['CMD ["a", "b"]'], "Cmd", ["a", "b"]),
        (["CMD a $b"], "Cmd", ["/bin/sh", "-c", "a $b"]),
        (['SHELL ["/bin/bash"]', "cmd x"], "Cmd", ["/bin/bash", "x"]),
        (['CMD ["a"]', 'ENTRYPOINT ["e"]'], "Cmd", ["a"]),
        (['ENTRYPOINT ["e"]'], "Entrypoint", ["e"]),
        (["ENV A=1 B='2 3'", "ENV C=$A-${B}"], "Env", ["A=1", "B=2 3", "C=1-2 3"]),
        (["ENV A one two"], "Env", ["A=one two"]),
        (["ENV A=1", "ENV A=2"], "Env", ["A=2"]),
        (['LABEL a=b c="d e"'], "Labels", {"a": "b", "c": "d e"}),
        (
            ["EXPOSE 80 53/UDP 8000-8001"],
            "ExposedPorts",
            {"80/tcp": {}, "53/udp": {}, "8000/tcp": {}, "8001/tcp": {}},
        ),
        (["USER 1000:0"], "User", "1000:0"),
        (['VOLUME ["/a", "/b"]', "VOLUME /c /d"], "Volumes", {"/a": {}, "/b": {}, "/c": {}, "/d": {}}),
        (["WORKDIR /a", "WORKDIR b/../c"], "WorkingDir", "/a/c"),
        (["WORKDIR ../.."], "WorkingDir", "/"),
        (["ONBUILD RUN x", "ONBUILD COPY . ."], "OnBuild", ["RUN x", "COPY . ."]),
        (["STOPSIGNAL sigint"], "StopSignal", "SIGINT"),
        (["STOPSIGNAL 9"], "StopSignal", "9"),
        (["HEALTHCHECK NONE"], "Healthcheck", {"Test": ["NONE"]}),
        (
            ["HEALTHCHECK --interval=5s --retries=3 CMD true || false"],
            "Healthcheck",
            {"Test": ["CMD-SHELL", "true || false"], "Interval": 5 * SECOND, "Retries": 3},
        ),
        (['HEALTHCHECK CMD ["a"]'], "Healthcheck", {"Test": ["CMD", "a"]}),
    ],
)
def test_instructions(changes: list[str], key: str, value: Any) -> None:
    assert apply({}, changes)[key] == value  # type: ignore[literal-required]


def test_an_entrypoint_takes_the_old_command_away() -> None:
    assert apply({"Cmd": ["old"]}, ['ENTRYPOINT ["e"]'])["Cmd"] is None


def test_the_given_configuration_is_not_changed() -> None:
    given = {"Env": ["A=1"], "Labels": {"a": "b"}}
    apply(given, ["ENV B=2", "LABEL c=d"])  # type: ignore[arg-type]
    assert given == {"Env": ["A=1"], "Labels": {"a": "b"}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("RUN ls", "not a valid change command"),
        ("", "not a valid change command"),
        ("ENV", "at least one argument"),
        ("ENV A", "must have two arguments"),
        ("LABEL a=b c", "can't find ="),
        ("EXPOSE http", "invalid containerPort"),
        ("EXPOSE 0", "invalid containerPort"),
        ("EXPOSE 80/icmp", "invalid containerPort"),
        ("STOPSIGNAL SIGNOPE", "invalid signal"),
        ("SHELL sh", "JSON form"),
        ("ONBUILD FROM x", "isn't allowed"),
        ("HEALTHCHECK true", "HEALTHCHECK takes"),
        ("HEALTHCHECK --interval=x CMD true", "invalid value for the flag --interval"),
        ("HEALTHCHECK --wat=1s CMD true", "unknown flag"),
        ("USER 'x", None),
        ("VOLUME 'x", "matching"),
        ('VOLUME [""]', "empty string"),
    ],
)
def test_bad_instructions(change: str, words: str | None) -> None:
    if words is None:
        assert apply({}, [change])["User"] == "x"
        return
    with pytest.raises(InvalidParameter, match=words):
        apply({}, [change])
