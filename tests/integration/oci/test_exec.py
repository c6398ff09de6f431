"""exec: a further program in a running container, by words and by document."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tests.integration.oci.runtime import Bundle, Runtime, until

pytestmark = [pytest.mark.root, pytest.mark.v2]

#: Where the program did not run.
NOT_RUN = 255


@pytest.fixture
def bundle(oci: Runtime) -> Bundle:
    """A bundle whose program waits, with some capabilities to hand on."""
    bundle = oci.bundle("sleep", "600")
    names = ("bounding", "effective", "permitted", "inheritable")
    sets = {name: ["CAP_KILL", "CAP_CHOWN"] for name in names}
    return bundle.set("process.capabilities", sets).set("process.noNewPrivileges", False)


@pytest.fixture
def box(oci: Runtime, bundle: Bundle) -> str:
    """The id of a running container."""
    return oci.start(bundle)


def test_it_is_inside_and_ends_as_its_program(oci: Runtime, box: str) -> None:
    """Same namespaces and cgroups as the first process; its streams are ours and its exit status too."""
    pid = oci.inspect(box)["pid"]
    for kind in ("pid", "net", "ipc", "uts", "mnt", "cgroup"):
        assert oci("exec", box, "readlink", f"/proc/self/ns/{kind}").strip() == os.readlink(
            f"/proc/{pid}/ns/{kind}"
        )
    done = oci.call("exec", box, "sh", "-c", "cat; echo err >&2; exit 7", stdin=None, input="in")
    assert (done.returncode, done.stdout, done.stderr) == (7, "in", "err\n")
    assert oci.call("exec", box, "sh", "-c", "kill -9 $$").returncode == 137
    assert oci("exec", box, "sh", "-c", "exec ls -l /proc/self/fd | wc -l") != ""


def test_options(oci: Runtime, box: str) -> None:
    """Each option changes what the program would have from the document."""
    assert oci("exec", box, "pwd") == "/\n"
    assert oci("exec", "--cwd", "/tmp", box, "pwd") == "/tmp\n"
    script = "echo $A $B $PATH"
    assert oci("exec", "--env", "A=1", "-e", "B=2 3", box, "sh", "-c", script) == "1 2 3 /bin\n"
    identity = "id -u; id -g; id -G"
    assert oci(
        "exec", "--user", "7:8", "-g", "9", "--additional-gids", "10", box, "sh", "-c", identity
    ).split()[:2] == ["7", "8"]
    assert {"9", "10"} <= set(oci("exec", "-u", "7:8", "-g", "9", "-g", "10", box, "id", "-G").split())
    assert oci("exec", "-u", "1000", box, "sh", "-c", "echo $HOME").strip() == "/home/joe"


def test_capabilities(oci: Runtime, box: str) -> None:
    """--cap adds to the sets that count, and --no-new-privs is as it says."""

    def status(*options: str) -> dict[str, str]:
        lines = oci("exec", *options, box, "cat", "/proc/self/status").splitlines()
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line)

    def bits(text: str) -> int:
        return int(text, 16)

    plain, more = status(), status("--cap", "CAP_NET_RAW", "-c", "CAP_KILL")
    assert bits(plain["CapEff"]) == 1 << 5 | 1
    for name in ("CapEff", "CapPrm", "CapBnd"):
        assert bits(more[name]) == 1 << 13 | 1 << 5 | 1
    # What programs inherit can be ambient as well, the rest cannot.
    assert bits(more["CapAmb"]) == 1 << 5
    assert (plain["NoNewPrivs"], status("--no-new-privs")["NoNewPrivs"]) == ("0", "1")


def test_a_document_says_all_of_it(oci: Runtime, box: str) -> None:
    """--process takes the process of a document of its own."""
    process = {
        "args": ["sh", "-c", "pwd; id -u; echo $X"],
        "env": ["PATH=/bin", "X=1"],
        "cwd": "/tmp",
        "user": {"uid": 3},
    }
    path = oci.base / "process.json"
    path.write_text(json.dumps(process))
    assert oci("exec", "--process", str(path), box) == "/tmp\n3\n1\n"
    # Also where it has no name, as with the shell's <().
    reader, writer = os.pipe()
    os.write(writer, path.read_bytes())
    os.close(writer)
    assert oci("exec", "--process", f"/proc/self/fd/{reader}", box, pass_fds=(reader,)) == "/tmp\n3\n1\n"
    os.close(reader)
    path.write_text(json.dumps(process | {"cwd": "tmp"}))
    line = oci.refuse("exec", "-p", str(path), box, status=NOT_RUN)
    assert 'process.cwd: "tmp" is not an absolute path' in line
    path.write_text(json.dumps(process | {"args": "sh"}))
    assert "args: invalid type" in oci.refuse("exec", "-p", str(path), box, status=NOT_RUN)


def test_detached(oci: Runtime, bundle: Bundle, box: str) -> None:
    """--detach comes back when the program runs; --pid-file says which it is."""
    file = oci.base / "pid"
    words = ("exec", "--detach", "--pid-file", str(file), box, "sh", "-c", "touch /tmp/ran; exec sleep 60")
    oci(*words, capture_output=False)
    until((bundle.rootfs / "tmp/ran").exists, "the program to run")
    assert int(file.read_text()) in json.loads(oci("ps", "-f", "json", box))


def test_descriptors(oci: Runtime, box: str) -> None:
    """--preserve-fds as with run."""
    kept = os.memfd_create("kept", 0)
    os.write(kept, b"kept")
    words = oci.command("exec", "--preserve-fds", "1", box, "cat", "/proc/self/fd/3")
    shell = ["bash", "-c", 'exec 3<>/proc/self/fd/$1; shift; exec "$@"', "bash", str(kept)]
    done = subprocess.run([*shell, *words], pass_fds=(kept,), capture_output=True, text=True, check=False)
    os.close(kept)
    assert (done.stdout, done.stderr) == ("kept", "")


def test_a_paused_container(oci: Runtime, box: str) -> None:
    """Nobody wants to wait for a program that stands still, unless --ignore-paused says so."""
    oci("pause", box)
    assert oci.status(box) == "paused"
    line = oci.refuse("exec", box, "true", status=NOT_RUN)
    assert line == f"cannot exec in a paused container: {box}"
    with subprocess.Popen(oci.command("exec", "--ignore-paused", box, "true")) as process:
        oci("resume", box)
        assert process.wait(30) == 0


def test_a_cgroup_below(oci: Runtime, box: str) -> None:
    """--cgroup names a group below the container's; nothing outside it."""
    for directory in oci.cgroups(f"pyctr/{box}"):
        (directory / "sub").mkdir()
    places = oci("exec", "--cgroup", "sub", box, "cat", "/proc/self/cgroup").splitlines()
    assert all(line.endswith("/sub") for line in places if "pids" in line or line.startswith("0::"))
    assert any("/sub" in line for line in places)
    for path in ("../x", "/../x", "a/../../x"):
        assert "bad sub cgroup path" in oci.refuse("exec", "--cgroup", path, box, "true", status=NOT_RUN)
    assert oci.call("exec", "--cgroup", "missing", box, "true").returncode == NOT_RUN


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["nope"], 'exec: "nope": executable file not found in $PATH'),
        (["/nope"], 'exec: "/nope": stat /nope: no such file or directory'),
        (["/etc/passwd"], 'exec: "/etc/passwd": permission denied'),
        (["/tmp"], 'exec: "/tmp": is a directory'),
    ],
)
def test_programs_that_cannot_be_run(oci: Runtime, box: str, words: list[str], line: str) -> None:
    """In the words of others, so that engines recognise them."""
    assert oci.refuse("exec", box, *words, status=NOT_RUN) == line


def test_bad_words(oci: Runtime, box: str) -> None:
    """Each says what is wrong with what was given."""
    for words, part in [
        ([box], "the command is missing"),
        ([], "the id of a container is missing"),
        (["--user", "joe", box, "true"], 'invalid value "joe" for --user'),
        (["--user", "1:x", box, "true"], 'invalid value "x" for --user'),
        (["--cwd", "/nope", box, "true"], '"/nope"'),
        (["--cwd", "nope", box, "true"], "not an absolute path"),
        (["--preserve-fds", "x", box, "true"], "invalid value"),
        (["--console-socket", "/nope", box, "true"], "process.terminal is not true"),
        (["--tty", "--console-socket", "/nope", box, "true"], "cannot connect to console socket /nope"),
        (["--tty", "--detach", box, "true"], "needs --console-socket"),
        (["nobody", "true"], "container nobody does not exist"),
    ]:
        assert part in oci.refuse("exec", *words, status=NOT_RUN)
    assert "cannot write pid file /nope/pid" in oci.refuse(
        "exec", "--pid-file", "/nope/pid", box, "true", status=NOT_RUN
    )
    oci("kill", box, "KILL")
    oci.wait(box)
    assert (
        oci.refuse("exec", box, "true", status=NOT_RUN)
        == f"cannot exec in container {box}: it is not running"
    )
