"""Hooks of all six kinds: when they run, where, with what, and what their failure means."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.integration.oci.runtime import Bundle, Runtime

pytestmark = [pytest.mark.root]

KINDS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")


def hook(script: str, **more: Any) -> list[dict[str, Any]]:
    """One hook that runs a script; /bin/sh is there on the host and in the container."""
    return [{"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/bin:/usr/bin"], **more}]


def logged(oci: Runtime, *args: str) -> tuple[Bundle, Path]:
    """A bundle with a hook of every kind, each of which writes what it sees to a directory of the host."""
    log = oci.base / "log"
    log.mkdir(exist_ok=True)
    bundle = oci.bundle(*args)
    # The container sees the same directory, for the hook that runs in there.
    (bundle.rootfs / log.relative_to("/")).mkdir(parents=True)
    mount = {"destination": str(log), "source": str(log), "options": ["bind"]}
    bundle.document["mounts"].append(mount)
    for kind in KINDS:
        script = (
            f"echo {kind} >> {log}/order; cat > {log}/{kind}; readlink /proc/self/ns/mnt > {log}/{kind}.ns"
        )
        bundle.set(f"hooks.{kind}", hook(script))
    return bundle, log


def test_order_place_and_state(oci: Runtime) -> None:
    """Each at its moment, in the runtime's or the container's namespace, with the state of that moment."""
    bundle, log = logged(oci, f"echo program >> {oci.base}/log/order; exec sleep 60")
    bundle.set("annotations", {"a": "b"})
    name = oci.name()
    oci("create", "--bundle", bundle.write(), name, capture_output=False, stdout=subprocess.DEVNULL)
    pid = oci.inspect(name)["pid"]
    theirs, ours = (os.readlink(f"/proc/{who}/ns/mnt") for who in (pid, "self"))
    order = (log / "order").read_text().split()
    assert order == ["prestart", "createRuntime", "createContainer"]
    oci("start", name)
    oci("kill", name, "KILL")
    oci.wait(name)
    assert "poststop" not in (log / "order").read_text()
    oci("delete", name)
    order = (log / "order").read_text().split()
    assert set(order) == {*KINDS, "program"}
    assert (order[3], order[-1]) == ("startContainer", "poststop")
    for kind, status, inside in [
        ("prestart", "creating", False),
        ("createRuntime", "creating", False),
        ("createContainer", "creating", True),
        ("startContainer", "created", True),
        ("poststart", "running", False),
        ("poststop", "stopped", False),
    ]:
        state = json.loads((log / kind).read_text())
        assert (state["id"], state["bundle"], state["annotations"]) == (name, str(bundle.path), {"a": "b"})
        assert state["status"] == status, kind
        # In the container's pid namespace the process is the first one.
        expected = {"createContainer": 1, "startContainer": 1, "poststop": None}.get(kind, pid)
        assert state.get("pid") == expected, kind
        assert (log / f"{kind}.ns").read_text().strip() == (theirs if inside else ours), kind


@pytest.mark.parametrize("kind", KINDS[:4])
def test_a_failure_stops_the_start(oci: Runtime, kind: str) -> None:
    """The message names the hook and what it printed, later hooks do not run, and nothing is left."""
    ran = oci.base / "ran"
    bundle = oci.bundle("true").set(f"hooks.{kind}", hook("echo broken >&2; exit 3") + hook(f"touch {ran}"))
    line = oci.refuse("run", "--bundle", bundle.write(), oci.name())
    assert line == f"error running {kind} hook #0: /bin/sh: failed with exit code 3: broken"
    assert not ran.exists()
    assert oci("list", "-q") == ""


def test_a_failure_after_the_start(oci: Runtime) -> None:
    """The program runs already, so it is killed, and nothing is left."""
    ran = oci.base / "ran"
    bundle = oci.bundle("sleep", "60").set("hooks.poststart", hook("exit 3") + hook(f"touch {ran}"))
    message = "error running poststart hook #0: /bin/sh: failed with exit code 3: it printed nothing"
    assert oci.refuse("run", "--bundle", bundle.write(), oci.name()) == message
    assert oci("list", "-q") == ""
    oci("create", "--bundle", bundle.write(), oci.name(), capture_output=False, stdout=subprocess.DEVNULL)
    assert oci.refuse("start", oci.name()) == message
    assert oci("list", "-q") == ""
    assert not ran.exists()


def test_a_failure_at_the_end_is_a_warning(oci: Runtime) -> None:
    """The container is gone: the other hooks go on, and the log tells."""
    ran, log = oci.base / "ran", oci.base / "log.json"
    bundle = oci.bundle("true").set("hooks.poststop", hook("exit 3") + hook(f"touch {ran}"))
    oci("--log", str(log), "--log-format", "json", "run", "--bundle", bundle.write(), oci.name())
    assert ran.exists()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["level"], line["msg"]) for line in lines] == [
        (
            "warning",
            "error running poststop hook #0: /bin/sh: failed with exit code 3: it printed nothing",
        )
    ]


def test_create_container_hooks_are_run_in_the_root(oci: Runtime) -> None:
    """So that they can change it by relative names, wherever the bundle lies."""
    bundle = oci.bundle("cat", "/made").set("hooks.createContainer", hook("echo here > made"))
    assert oci("run", "--bundle", bundle.write(), oci.name()) == "here\n"


def test_timeout_and_what_cannot_be_run(oci: Runtime) -> None:
    """A hook that takes too long is killed; one that is not there is named."""
    bundle = oci.bundle("true").set("hooks.createRuntime", hook("sleep 60", timeout=1))
    assert oci.refuse("run", "--bundle", bundle.write(), oci.name()).endswith("took longer than 1 s: killed")
    bundle.set("hooks.createRuntime", [{"path": "/nope"}])
    line = oci.refuse("run", "--bundle", bundle.write(), oci.name())
    assert line == "error running createRuntime hook #0: /nope: cannot be run: no such file or directory"


def test_environment_and_rights(oci: Runtime) -> None:
    """Without an environment a hook has the runtime's; in the container the program's, and its user."""
    out = oci.base / "out"
    host = [{"path": "/bin/sh", "args": ["sh", "-c", f"echo $MARK > {out}"]}]
    inside = [{"path": "/bin/sh", "args": ["sh", "-c", "echo $MARK $(id -u) > /tmp/out"]}]
    bundle = oci.bundle("true").set("hooks", {"prestart": host, "startContainer": inside})
    bundle.document["process"]["env"].append("MARK=inside")
    bundle.set("process.user.uid", 1000)
    (bundle.rootfs / "tmp").chmod(0o777)
    oci.run(bundle, env=os.environ | {"MARK": "outside"})
    assert out.read_text() == "outside\n"
    assert (bundle.rootfs / "tmp/out").read_text() == "inside 1000\n"
