"""Completion, asked as the shells' scripts ask."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import pyctr.engine
from pyctr.cli.completion import candidates, complete, script


class Engine:
    """Has one running and one stopped container, an image and a volume."""

    class containers:  # noqa: N801 - a name of the interface
        @staticmethod
        def list(*, all: bool, filters: dict[str, list[str]]) -> list[dict[str, Any]]:
            known = [("web", "running"), ("old", "exited")]
            wanted = filters.get("status")
            return [
                {"Names": [f"/{name}"], "Image": "busybox"}
                for name, state in known
                if not wanted or state in wanted
            ]

    class images:  # noqa: N801
        list = staticmethod(
            lambda: [{"RepoTags": ["busybox:latest", "debian:12"]}, {"RepoTags": ["<none>:<none>"]}]
        )

    class volumes:  # noqa: N801
        list = staticmethod(lambda: {"Volumes": [{"Name": "data"}]})

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyctr.engine, "connect", lambda root, run_root: Engine())


def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str) -> list[str]:
    """Return what bash would offer for a line whose end is being typed."""
    words = line.split(" ")
    monkeypatch.setenv("COMP_WORDS", "\n".join(words))
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    assert complete({**os.environ, "_PYCTR_COMPLETE": "complete_bash"}) == 0
    return capsys.readouterr().out.split()


@pytest.mark.parametrize(
    ("line", "some", "none"),
    [
        ("pyctr ru", {"run"}, {"rm"}),
        ("pyctr con", {"container"}, {"cp"}),
        ("pyctr container l", {"logs", "ls"}, {"run"}),
        ("pyctr run --mem", {"--memory", "--memory-swap"}, {"--mount"}),
        ("pyctr run --network ", {"none", "host", "container:web"}, {"container:old"}),
        ("pyctr run ", {"busybox", "debian:12"}, {"<none>:<none>", "web"}),
        ("pyctr run -v /a:/b deb", {"debian:12"}, {"busybox"}),
        ("pyctr run --cap-add NET_", {"NET_ADMIN", "NET_RAW"}, {"KILL"}),
        ("pyctr stop ", {"web"}, {"old", "busybox"}),
        ("pyctr start ", {"old"}, {"web"}),
        ("pyctr rm ", {"web", "old"}, {"busybox"}),
        ("pyctr rm web o", {"old"}, {"web"}),
        ("pyctr volume rm ", {"data"}, {"web"}),
        ("pyctr inspect ", {"web", "busybox", "data"}, set()),
        ("pyctr kill -s ", {"TERM", "KILL"}, {"web"}),
        ("pyctr inspect --type ", {"container", "image", "volume"}, {"web"}),
        ("pyctr --log-level ", {"debug", "warn"}, set()),
        ("pyctr completion ", {"bash", "zsh", "fish"}, set()),
    ],
)
def test_candidates(
    line: str,
    some: set[str],
    none: set[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = set(ask(monkeypatch, capsys, line))
    assert some <= found
    assert found.isdisjoint(none)


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "some.env").touch()
    monkeypatch.chdir(tmp_path)
    assert sorted(name for name, _ in candidates("files", None, "s")) == ["some.env", "sub/"]
    inside = str(tmp_path / "so")
    assert [name for name, _ in candidates("files", None, inside)] == [str(tmp_path / "some.env")]
    assert candidates("files", None, "/no/such/place/") == []


def test_every_source_that_a_table_names_exists() -> None:
    from pyctr.cli.main import ROOT
    from pyctr.cli.registry import GROUPS, TOP, load

    modules = {*TOP.values(), *(module for _, words in GROUPS.values() for module in words.values())}
    for table in (ROOT, *map(load, sorted(modules))):
        for source in (table.complete, *(option.complete for option in table.options)):
            if source:
                candidates(source, None, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_are_well_formed(shell: str) -> None:
    text = script(shell)
    program = shutil.which(shell)
    if program is None:
        assert "pyctr" in text
        return
    subprocess.run([program, "-n"], input=text, text=True, check=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes(tmp_path: Path) -> None:
    program = tmp_path / "pyctr"
    path = os.pathsep.join(entry for entry in sys.path if entry)
    program.write_text(
        f"#!/bin/sh\nPYTHONPATH={path} exec {sys.executable} -c 'from pyctr.cli import main; main()' \"$@\"\n"
    )
    program.chmod(0o755)
    asked = f"""
        PATH={tmp_path}:$PATH
        eval "$(pyctr completion bash)"
        COMP_WORDS=(pyctr run --memory-)
        COMP_CWORD=2
        _pyctr_completion pyctr
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["--memory-reservation", "--memory-swap", "--memory-swappiness"]
