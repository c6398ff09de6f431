"""The create body, compared with what the real docker command line posts for the same words."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyctr.cli.command import Command, Parsed
from pyctr.cli.context import Context
from pyctr.cli.parser import UsageError, check_arguments, parse
from pyctr.cli.run_body import create_body
from pyctr.cli.run_options import CREATE

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "GREETING": "hello world"}
NOT_OURS = (
    "Cgroup",
    "ConsoleSize",
    "CpuCount",
    "CpuPercent",
    "IOMaximumBandwidth",
    "IOMaximumIOps",
    "Isolation",
    "Links",
    "PortBindings",
    "PublishAllPorts",
)
"""Keys docker always sends for Windows, for the daemon's own use, or for networks."""

CASES = r"""
--net=none --init
--init=false
-it
-itd=false
-a stdin -a STDERR
-a x
-i -a stdout
-e A=1 -e PATH -e NOPE -e=v -eX=2 --env=Y
-e =x
--env-file ok.env -e A=2
--env-file bad1.env
--env-file bad2.env
--env-file bad3.env
--env-file missing.env
--env-file bom.env
--label-file ok.env -l z=1 -l q
--label-file bad2.env
-l ''
-l 'a b=c'
-l ' a=c'
-v /a:/b -v /a:/b -v /c -v name:/d:ro -v ./x:/y:ro,z -v ~/x:/y -v x:/y -v ../q:/y
-v ''
-v a:
-v :/a
-v /a:/b:c:d
-v /a::/b
-v ab
-v é:/x
-v /b
-v .:/x
--tmpfs /t --tmpfs /t2:size=1m,mode=700
--mount type=bind,src=/a,dst=/b
--mount type=bind,src=./a,dst=/b,readonly
--mount type=bind,src=/a,dst=/b,ro=false,bind-propagation=RSHARED
--mount type=bind,src=/a,dst=/b,bind-nonrecursive
--mount type=bind,src=/a,dst=/b,bind-nonrecursive=false
--mount type=bind,src=/a,dst=/b,bind-recursive=writable
--mount type=bind,src=/a,dst=/b,ro,bind-recursive=writable
--mount type=bind,src=/a,dst=/b,ro,bind-recursive=readonly
--mount type=bind,src=/a,dst=/b,ro,bind-recursive=readonly,bind-propagation=rprivate
--mount type=bind,src=/a,dst=/b,bind-recursive=enabled
--mount type=bind,src=/a,dst=/b,bind-recursive=disabled
--mount type=bind,src=/a,dst=/b,bind-recursive=x
--mount src=vol,dst=/b
--mount src=vol,dst=/b,volume-nocopy
--mount src=vol,dst=/b,volume-nocopy=x
--mount src=vol,dst=/b,volume-nocopy=false
--mount src=vol,dst=/b,volume-label=a=b,volume-label=c,volume-driver=local,volume-opt=type=nfs,volume-opt==q
--mount src=vol,dst=/b,volume-subpath=x
--mount type=tmpfs,dst=/b,tmpfs-size=1m,tmpfs-mode=1777
--mount type=tmpfs,dst=/b,tmpfs-size=x
--mount type=tmpfs,dst=/b,tmpfs-size=0
--mount type=tmpfs,dst=/b,tmpfs-mode=9
--mount type=tmpfs,dst=/b,volume-nocopy
--mount type=bind,dst=/b,tmpfs-size=1
--mount type=image,src=i,dst=/b,image-subpath=q
--mount type=,dst=/b
--mount type=bind
--mount ''
--mount x
--mount x=y
--mount dst=/b,ro=maybe
--mount dst=/b,readonly=1
--mount dst=/b,consistency=Cached
--mount '"dst=/b,c",src=v'
--mount '"dst=/b"",c",src=v'
--mount 'ds"t=/b'
--mount '"dst=/b"c'
--mount '"dst=/b'
--mount 'dst=/b,'
--mount ',dst=/b'
--mount 'TYPE=Bind,SRC=/a,Dst=/b'
--mount dst=
--device /dev/null
--device /dev/null:/dev/x
--device /dev/null:rw
--device /dev/null:/dev/x:r
--device /dev/null:/dev/x:q
--device /dev/null:/dev/x:rr
--device /dev/null:x
--device x
--device ''
--device :x
--device /dev/../null
--device /dev/null:/dev/./x
--device /dev/null:/dev/./x:r
--device /a:/b:c:d
--device //dev/null:rw
--device vendor.com/class=name
--device vendor.com/class=all --device /dev/null
--device /dev/null:
--device /dev/null::
--device-cgroup-rule 'c 1:* rwm'
--device-cgroup-rule 'c 1:*'
--device-cgroup-rule 'q 1:* r'
--device-cgroup-rule 'a *:* rwm'
--device-cgroup-rule 'c 1:2 rr'
--ulimit nofile=1:2 --ulimit nofile=3 --ulimit core=-1
--ulimit nofile
--ulimit x=1
--ulimit nofile=x
--ulimit nofile=1:x
--ulimit nofile=2:1
--ulimit nofile=-1:1
--ulimit nofile=1:2:3
--ulimit nofile=
--ulimit nofile=0x10
--cap-add net_admin --cap-add CAP_SYS_ADMIN --cap-add sys_admin --cap-drop all --cap-drop x
--cap-add ALL --cap-add x
--cap-add ''
--cap-add ' x '
--security-opt seccomp=profile.json
--security-opt seccomp=none.json
--security-opt seccomp=unconfined --security-opt no-new-privileges --security-opt label=disable
--security-opt seccomp=builtin
--security-opt seccomp:unconfined
--security-opt seccomp=default
--security-opt no-new-privileges:true
--security-opt systempaths=unconfined
--security-opt apparmor=unconfined --security-opt systempaths=unconfined
--log-driver none --log-opt a=b
--log-driver none
--runtime fast
--isolation default
--storage-opt size=1g --storage-opt a=b=c
--storage-opt size
--disable-content-trust
--gpus all
--gpus 2 --gpus device=0,driver=nvidia
--gpus "device=0,1",capabilities=utility
--gpus count=x
--gpus a=b
--gpus all,all
--log-driver json-file --log-opt max-size=1m --log-opt x
-m 100m
-m 1.5g
-m 100MB
-m 100mib
-m 100x
-m 100mbx
-m 100mbxx
-m ''
-m 1k5
-m -5
-m ' 5'
-m '5 m'
-m '5  m'
-m 1e3
-m 0x10
-m inf
-m 1_0
-m .5k
-m 5.k
-m 5b
-m 5bb
-m .
-m 1,5
--memory-swap -1
--memory-swap -2
--memory-reservation 5m
--memory-swappiness 101
--memory-swappiness -1
--memory-swappiness -2
--memory-swappiness 60
--cpus 0.5
--cpus 1/3
--cpus 1/4
--cpus 1e-3
--cpus x
--cpus ''
--cpus -1
--cpus 0.0000000001
--cpus 0x10
--cpus .5
--cpus 5.
--cpus .
--cpus 1_0
--cpus +1
--cpus 1/0
--cpu-shares 0x10 --cpu-period 017 --cpu-quota -1
-c 512
-c=5
-c5
-c ''
-c 08
-c 1_000
-c 9223372036854775808
--pids-limit -1
--blkio-weight 65536
--blkio-weight 100000_
--blkio-weight 0x10000z
--blkio-weight 1_z
--blkio-weight -1
--blkio-weight 300
--blkio-weight-device /dev/sda:100
--blkio-weight-device /dev/sda:1
--blkio-weight-device /dev/sda:0
--blkio-weight-device sda:100
--blkio-weight-device /dev/sda
--blkio-weight-device :1
--device-read-bps /dev/sda:1mb --device-write-bps /dev/sda:1
--device-read-iops /dev/sda:5 --device-write-iops /dev/sda:7
--device-read-bps /dev/sda:x
--device-read-bps /dev/sda:-1
--device-read-iops /dev/sda:1k
--device-read-iops sda:1
--oom-kill-disable --oom-score-adj -500
--oom-kill-disable=false
--pid host --ipc host --uts host --userns host --cgroupns host
--pid container:x
--pid container:
--pid x
--uts x
--userns x
--cgroupns x
--cgroupns private --ipc shareable
--ipc x
--add-host a:1.2.3.4 --add-host b=::1 --add-host c:[::1] --add-host d:host-gateway --add-host e:::1
--add-host a
--add-host a:x
--add-host :1.2.3.4
--add-host a:b=1.2.3.4
--dns 1.1.1.1 --dns ::1 --dns 0:0:0:0:0:0:0:1 --dns ::ffff:1.2.3.4
--dns x
--dns ' 1.1.1.1 '
--dns 01.1.1.1
--dns-search . --dns-search example.com --dns-search a.b.
--dns-search 1.2
--dns-search -a.b
--dns-search 'a b'
--dns-search 'a.b '
--dns-search a..b
--dns-search a_b
--dns-opt a --dns-option b
--sysctl net.a=1 --sysctl kernel.sem=2
--sysctl x=1
--sysctl net.a
--annotation a=b --annotation c
--entrypoint ''
--entrypoint=
--entrypoint sh
--stop-signal TERM --stop-timeout 5
--stop-timeout 0
--stop-timeout 1.5
-h host --domainname d -u 1:2 -w /x --group-add 5 --group-add x
--rm --read-only --privileged --shm-size 5m --cgroup-parent /x --volume-driver local --volumes-from x:ro
--rm=0 --privileged=T --read-only=F
--rm=no
--tty=
--network host
--network container:abc
--net none
--foo
--=x
---x
-Z
-itZ
-m
-i=true
-i=x
-t=false -i
-it=false
-im5m
--name x
--cpu-rt-period 5 --cpu-rt-runtime 6
--no-init
""".strip("\n").split("\n")


def nothing(_context: Context, _parsed: Parsed) -> None:
    pass


COMMAND = Command("create", "", "", run=nothing, options=CREATE, least=1, interspersed=False)


@pytest.fixture(scope="module")
def workdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the files the cases name."""
    directory = tmp_path_factory.mktemp("work")
    for name, content in {
        "ok.env": b"# comment\nA=1\n  B=2\nPATH\nNOPE\n\n",
        "bad1.env": b"=x\n",
        "bad2.env": b"a b=x\n",
        "bad3.env": b"\xff\xfe=1\n",
        "bom.env": b"\xef\xbb\xbfA=1\r\nB=2",
        "profile.json": b'{ "defaultAction": "SCMP_ACT_ALLOW",\n "x": [1, {"y": "\xc3\xa9"}] }',
    }.items():
        (directory / name).write_bytes(content)
    return directory


def ours(argv: list[str], environ: Mapping[str, str] = ENVIRONMENT) -> dict[str, Any] | str:
    """Return our body, or the words of our refusal."""
    try:
        parsed = parse(COMMAND, argv, environ)
        check_arguments(COMMAND, parsed.arguments, "pyctr create")
        return dict(create_body(parsed, environ))
    except (UsageError, ValueError) as problem:
        return str(problem)


def normal(body: Any) -> dict[str, Any]:
    """Return a body without what does not concern us and without the order docker leaves to chance."""
    copy: dict[str, Any] = json.loads(json.dumps(body))
    copy.pop("NetworkingConfig")
    host = copy["HostConfig"]
    for key in NOT_OURS:
        host.pop(key, None)
    host["Binds"] = sorted(host["Binds"] or ())
    copy["Env"] = sorted(copy["Env"] or ())
    return copy


@pytest.fixture
def in_workdir(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(workdir)
    for name in ("A", "NOPE", "v", "Y"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return workdir


def compare(fake_docker: Any, argv: list[str], directory: Path) -> None:
    body, done = fake_docker.create_body(*argv, env=ENVIRONMENT, cwd=directory)
    mine = ours(argv)
    if body is None:
        assert isinstance(mine, str), f"docker refused: {done.stderr}"
        words = done.stderr.splitlines()[0].removeprefix("docker: ")
        assert mine == words
    else:
        assert isinstance(mine, dict), f"we refused: {mine}"
        assert normal(mine) == normal(body)


@pytest.mark.parametrize("line", CASES)
def test_same_as_docker(line: str, fake_docker: Any, in_workdir: Path) -> None:
    compare(fake_docker, [*shlex.split(line), "busybox", "-x", "true", "--rm"], in_workdir)


OPTION = st.one_of(
    st.sampled_from(["--rm", "-it", "-d=false", "--init", "--privileged", "--read-only=1", "-t=f"]).map(
        lambda o: [o]
    ),
    st.tuples(
        st.sampled_from(
            ["-e", "-l", "-v", "--tmpfs", "--ulimit", "--device", "--mount", "--add-host", "--dns", "-m"]
        ),
        st.text("ab=:/,. 0123kmg-", max_size=12),
    ).map(list),
    st.tuples(
        st.sampled_from(["--cpus", "-m", "--shm-size", "--memory-swap"]),
        st.from_regex(r"[0-9]{0,3}(\.[0-9]{0,3})?([eE/][-+]?[0-9])? ?[kmgtpKMGTPibB]{0,3}", fullmatch=True),
    ).map(list),
    st.tuples(
        st.sampled_from(["-c", "--pids-limit", "--stop-timeout", "--blkio-weight"]),
        st.from_regex(r"[-+]?(0[xob]?)?[0-9a-f_]{0,20}", fullmatch=True),
    ).map(list),
    st.tuples(
        st.just("--mount"),
        st.lists(
            st.sampled_from(
                [
                    "type=bind",
                    "type=volume",
                    "type=tmpfs",
                    "src=/a",
                    "src=v",
                    "dst=/b",
                    "target=/c",
                    "ro",
                    "readonly=false",
                    "bind-propagation=rslave",
                    "volume-nocopy",
                    "volume-opt=a=b",
                    "tmpfs-size=1m",
                    "tmpfs-mode=700",
                    "bind-recursive=writable",
                ]
            ),
            max_size=6,
        ).map(",".join),
    ).map(list),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(OPTION, max_size=4))
def test_same_as_docker_for_any_options(fake_docker: Any, in_workdir: Path, options: list[list[str]]) -> None:
    words = [*(word for option in options for word in option), "busybox"]
    if str(ours(words)).endswith("value out of range"):
        return  # where docker lets a number overflow: test_numbers_beyond_what_the_kernel_counts_are_refused
    compare(fake_docker, words, in_workdir)


def test_lower_case_where_docker_has_a_capital() -> None:
    """Docker 28 says "Invalid"; docker 29 and we say what every other message says."""
    assert ours(["--security-opt", "x", "busybox"]) == 'invalid --security-opt: "x"'


def test_a_profile_that_is_no_json_is_refused(in_workdir: Path) -> None:
    (in_workdir / "broken.json").write_text("{x")
    refusal = ours(["--security-opt", "seccomp=broken.json", "busybox"])
    assert isinstance(refusal, str)
    assert refusal.startswith("compacting json for seccomp profile (broken.json) failed: ")


def test_numbers_beyond_what_the_kernel_counts_are_refused() -> None:
    assert "value out of range" in str(ours(["-m", "99999999p", "busybox"]))
    assert "failed to parse" in str(ours(["--cpus", "1e999999999", "busybox"]))


@given(st.text(), st.sampled_from([option.name for option in CREATE]))
def test_no_value_of_any_option_breaks_the_parser(text: str, name: str) -> None:
    ours([f"--{name}={text}", "busybox"])
