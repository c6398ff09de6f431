"""What is told of containers that really ran: events, logs with details, history, disk usage, sizes."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.root


def test_events_of_a_life(pyctr: Any) -> None:
    """The actions docker notes, with its attributes: labels and all."""
    name = "eventful"
    pyctr.ok("run", "-d", "--net=none", "--name", name, "--label", "l=1", "busybox", "sleep", "1000")
    try:
        pyctr.ok("exec", name, "true")
        assert pyctr("exec", name, "false").returncode == 1
        pyctr.ok("top", name)
        assert pyctr.ok("top", name, "-o", "pid,comm").split()[-1] == "sleep"
    finally:
        pyctr.ok("rm", "-f", name)
    text = pyctr.ok("events", "--since", "1h", "--until", "0s", "-f", f"container={name}", "--format", "json")
    events = [json.loads(line) for line in text.splitlines()]
    assert [event["Action"] for event in events] == [
        *("create", "start", "exec_create: true", "exec_start: true", "exec_die"),
        *("exec_create: false", "exec_start: false", "exec_die", "top", "top", "kill", "die", "destroy"),
    ]
    assert all(event["Actor"]["Attributes"]["l"] == "1" for event in events)
    codes = [event["Actor"]["Attributes"].get("exitCode") for event in events]
    assert [code for code in codes if code] == ["0", "1", "137"]


def test_details_of_logs(pyctr: Any) -> None:
    options = ("--log-opt", "labels=p", "--log-opt", "env=FOO", "-e", "FOO=b r", "--label", "p=q")
    pyctr.ok("run", "--net=none", "--name", "detailed", *options, "busybox", "echo", "hello")
    try:
        assert pyctr.ok("logs", "--details", "detailed") == "FOO=b+r,p=q hello\n"
        assert pyctr.ok("logs", "--details", "--tail", "+1", "detailed").endswith(" hello\n")
        assert pyctr.ok("logs", "--until", "0", "--since", "-1h", "detailed") == ""
        assert pyctr.ok("logs", "--until", "0", "detailed") == "hello\n"
    finally:
        pyctr.ok("rm", "detailed")


def test_templates_nobody_can_read_end_with_64(pyctr: Any) -> None:
    for command in ("info", "version", "events"):
        done = pyctr(command, "--format", "{{")
        assert done.returncode == 64
        assert b"unclosed action" in done.stderr
    done = pyctr("info", "--format", "{{.Nope}}")
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)


def test_history_and_disk_usage(pyctr: Any) -> None:
    assert pyctr.ok("history", "-q", "--no-trunc", "busybox").startswith("sha256:")
    assert len(pyctr.ok("image", "history", "busybox").splitlines()) == 2
    kinds = [json.loads(line) for line in pyctr.ok("system", "df", "--format", "json").splitlines()]
    assert [kind["Type"] for kind in kinds] == ["Images", "Containers", "Local Volumes", "Build Cache"]
    assert kinds[0]["Size"] != "0B"
    assert "Images space usage:\n\nREPOSITORY" in pyctr.ok("system", "df", "-v")


def test_info_says_why_drivers_are_not_used(pyctr: Any) -> None:
    info = json.loads(pyctr.ok("info", "--format", "json"))
    assert {name for name, _ in info["DriverStatus"]} == {"overlay2", "vfs"} - {info["Driver"]}


def test_what_is_no_object_is_told_as_such(pyctr: Any) -> None:
    done = pyctr("inspect", "NO/such!name")
    assert (done.returncode, done.stdout) == (1, b"[]\n")
    assert done.stderr == b"pyctr: no such object: NO/such!name\n"
