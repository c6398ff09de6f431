"""The command line itself: help, version, log, spec, and what is refused before a container is made."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.integration.oci.runtime import BINARY, Runtime

pytestmark = [pytest.mark.root]

OF_ONE = ["create", "start", "run", "kill", "delete", "state", "ps", "pause", "resume", "update", "events"]
VERBS = [*OF_ONE, "exec", "list", "spec", "features", "help", "version"]


def test_help_and_version(oci: Runtime) -> None:
    """Every verb has its own help, and the program tells its version and the specification's."""
    for words in (["--help"], ["-h"], ["help"], []):
        text = subprocess.run([BINARY, *words], capture_output=True, text=True, check=True).stdout
        assert all(f"\n  {verb} " in text for verb in VERBS)
        assert "--systemd-cgroup" in text
    for verb in VERBS:
        assert oci(verb, "--help").startswith(f"usage: pyctr-oci {verb} ")
    for words in (["--version"], ["-v"], ["version"]):
        name, spec = oci(*words).splitlines()
        assert name.startswith("pyctr-oci version 0.")
        assert spec == "spec: 1.2.1"


def test_what_callers_of_others_say_is_understood(oci: Runtime) -> None:
    """Options that mean nothing here are accepted where runc or crun have them."""
    options = ["--debug", "--log-level", "debug", "--rootless", "auto", "--criu", "criu", "--log-level=error"]
    assert oci(*options, "list", "--quiet") == ""
    for manager in ("cgroupfs", "systemd", "disabled"):
        assert oci(f"--cgroup-manager={manager}", "list", "-q") == ""


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["fly"], 'unknown command "fly"'),
        (["--fly"], 'unknown option "--fly"'),
        (["--log-format", "xml", "list"], 'unknown log format "xml": text or json'),
        (["run", "--fly", "x"], 'run: unknown option "--fly"'),
        (["run", "--bundle"], 'run: option "--bundle" needs a value'),
        (["run", "--detach=perhaps", "x"], 'run: invalid value "perhaps" for --detach: true or false'),
    ],
)
def test_bad_words(oci: Runtime, words: list[str], line: str) -> None:
    """One line says what is wrong, another one where to look."""
    done = oci.call(*words)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [f"pyctr-oci: {line}", "Run 'pyctr-oci --help' for more information"]


@pytest.mark.parametrize("verb", OF_ONE)
def test_ids(oci: Runtime, verb: str) -> None:
    """An id must be given, be one, and be somebody's."""
    assert oci.refuse(verb) == "the id of a container is missing"
    if verb in {"create", "run"}:
        bundle = oci.bundle("true").write()
        for bad in (".", "..", "a/b", "../../etc", "a b", "-", "ä", "x" * 256):
            line = oci.refuse(verb, "--bundle", bundle, "--", bad)
            assert line.startswith(("invalid character in container ID", "container id "))
    else:
        assert oci.refuse(verb, "nobody") == "container nobody does not exist"
        assert "invalid character in container ID" in oci.refuse(verb, "../nobody")
    if verb not in {"ps", "kill"}:
        assert oci.refuse(verb, "a", "b") == 'unexpected argument "b"'


def test_bundles(oci: Runtime) -> None:
    """A bundle that is not there, without a document, or with one that is none."""
    assert oci.refuse("run", "--bundle", "/nope", oci.name()).startswith("cannot open bundle /nope: ")
    empty = oci.base / "empty"
    empty.mkdir()
    line = oci.refuse("run", "--bundle", str(empty), oci.name())
    assert line.lower() == f"cannot read {empty}/config.json: no such file or directory (os error 2)"
    (empty / "config.json").write_text("{")
    assert oci.refuse("run", "--bundle", str(empty), oci.name()).startswith("config.json: ")
    bundle = oci.bundle("true").set("root.path", "missing")
    line = oci.refuse("run", "--bundle", bundle.write(), oci.name())
    assert str(bundle.path / "missing") in line


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["nope"], 'exec: "nope": executable file not found in $PATH'),
        (["/nope"], 'exec: "/nope": stat /nope: no such file or directory'),
        (["/etc/passwd"], 'exec: "/etc/passwd": permission denied'),
        (["/tmp"], 'exec: "/tmp": is a directory'),
    ],
)
def test_programs_that_cannot_be_run(oci: Runtime, args: list[str], line: str) -> None:
    """Found out by create already, with nothing left behind."""
    for verb in ("create", "run"):
        assert oci.refuse(verb, "--bundle", oci.bundle(*args).write(), oci.name()) == line
        assert oci.leftovers() == []


def test_a_directory_that_is_missing(oci: Runtime) -> None:
    """The specification's process.cwd is made, as other runtimes do; that of exec is not."""
    bundle = oci.bundle("pwd").set("process.cwd", "/not/there")
    assert oci("run", "--bundle", bundle.write(), oci.name()) == "/not/there\n"
    name = oci.start(bundle.set("process.args", ["sleep", "60"]))
    line = oci.refuse("exec", "--cwd", "/nope", name, "pwd", status=255)
    assert line == 'chdir to cwd ("/nope") failed: no such file or directory'


def test_pid_file_that_cannot_be_written(oci: Runtime) -> None:
    """Nobody would know the container, so there is none."""
    for words in (["create"], ["run", "--detach"], ["run"]):
        line = oci.refuse(
            *words, "--pid-file", "/nope/pid", "--bundle", oci.bundle("sleep", "9").write(), oci.name()
        )
        assert line.startswith("cannot write pid file /nope/pid: ")
        assert oci("list", "-q") == ""


def test_log(oci: Runtime) -> None:
    """What failed is in the log too, where an engine looks for it, in either form."""
    text, lines = oci.base / "log", oci.base / "log.json"
    oci.call("--log", str(text), "run", "--bundle", '/no"pe', oci.name())
    assert text.read_text().startswith('time="20')
    assert 'level=error msg="cannot open bundle /no\\"pe: ' in text.read_text()
    for _ in range(2):
        oci.call("--log", str(lines), "--log-format=json", "delete", "nobody")
    entries = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [(entry["level"], entry["msg"]) for entry in entries] == [
        ("error", "container nobody does not exist")
    ] * 2
    assert datetime.fromisoformat(entries[0]["time"]).tzinfo
    line = oci.call("--log", "/nope/log", "list").stderr.splitlines()[0]
    assert line.startswith("pyctr-oci: cannot open the log /nope/log: ")


def test_debug(oci: Runtime) -> None:
    """What is being done, on standard error or in the log."""
    assert 'level=debug msg="list --quiet"' in oci.call("--debug", "list", "--quiet").stderr
    log = oci.base / "debug.log"
    assert oci.call("--debug", "--log", str(log), "list").stderr == ""
    assert "level=debug" in log.read_text()


def test_warnings_stay_out_of_the_programs_output(oci: Runtime) -> None:
    """Standard error is the program's when it is no terminal; the log has what was done otherwise."""
    names = ["CAP_KILL", "CAP_FLY"]
    bundle = oci.bundle("true").set("process.capabilities", {"bounding": names, "permitted": names})
    done = oci.call("run", "--bundle", bundle.write(), oci.name())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    log = oci.base / "log.json"
    oci("--log", str(log), "--log-format", "json", "run", "--bundle", bundle.write(), oci.name())
    assert "CAP_FLY" in json.loads(log.read_text())["msg"]


def test_spec(oci: Runtime) -> None:
    """A document to begin with, that runs once it names no terminal; one that is there is left alone."""
    bundle = oci.bundle("unused")
    oci("spec", "--bundle", str(bundle.path))
    file = bundle.path / "config.json"
    document: dict[str, Any] = json.loads(file.read_text())
    assert "cannot write" in oci.refuse("spec", cwd=bundle.path)
    assert json.loads(file.read_text()) == document
    bundle.document = document
    bundle.set("process.terminal", False).set(
        "process.args", ["sh", "-c", "id -u; hostname; ls /dev/pts; true"]
    )
    assert oci.run(bundle) == "0\npyctr\nptmx\n"


def test_spec_without_privileges(oci: Runtime) -> None:
    """--rootless maps one user to root of a namespace."""
    bundle = oci.bundle("unused")
    oci("spec", "--rootless", "-b", str(bundle.path))
    bundle.document = json.loads((bundle.path / "config.json").read_text())
    linux = bundle.document["linux"]
    assert linux["uidMappings"] == [{"containerID": 0, "hostID": os.geteuid(), "size": 1}]
    assert {"type": "user"} in linux["namespaces"]
    bundle.set("process.terminal", False).set("process.args", ["cat", "/proc/self/uid_map"])
    assert oci.run(bundle).split() == ["0", "0", "1"]


def test_the_state_directory(oci: Runtime) -> None:
    """--root is made with its parents; records in it are nobody else's to read."""
    root = oci.base / "deep/er"
    bundle = oci.bundle("sleep", "600")
    streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    subprocess.run(
        [BINARY, "--root", root, "run", "-d", "-b", bundle.write(), oci.name()], check=True, **streams
    )
    try:
        assert (root / oci.name()).stat().st_mode & 0o777 == 0o700
        assert (root / oci.name() / "state.json").stat().st_mode & 0o777 == 0o600
        assert oci.refuse("state", oci.name()).endswith("does not exist")
    finally:
        subprocess.run([BINARY, "--root", root, "delete", "--force", oci.name()], check=True, **streams)
    assert list(root.iterdir()) == []
    assert Path(root).stat().st_mode & 0o777 == 0o711
