"""Listings, compared with what the real docker command line prints for the same documents."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyctr.cli.command import Parsed
from pyctr.cli.commands import history, images, ps, system_df, volume_ls
from pyctr.cli.output.stats import STATS_HEADERS, STATS_TABLE, stats_record
from pyctr.cli.output.tabwriter import align
from pyctr.cli.output.units import bytes_size, columns, ellipsis, human_duration, human_size, short_id
from pyctr.cli.parser import parse
from pyctr.errors import InvalidParameter

NOW = int(time.time())


def container(number: int, **more: Any) -> dict[str, Any]:
    return {
        "Id": f"{number:064x}",
        "Names": [f"/web{number}"],
        "Image": "busybox",
        "ImageID": "sha256:" + "b" * 64,
        "Command": "sh -c 'echo \"a\" and much more than fits'",
        "Created": NOW - 3 * 86400,
        "Ports": [],
        "Labels": {"b": "2", "a": "1"},
        "State": "running",
        "Status": "Up 3 days",
        "HostConfig": {"NetworkMode": "none"},
        "NetworkSettings": {"Networks": {"none": {}}},
        "Mounts": [
            {"Type": "volume", "Name": "data-with-a-long-name", "Driver": "local", "Destination": "/d"},
            {"Type": "bind", "Source": "/a", "Destination": "/b"},
        ],
        "SizeRw": 12345,
        "SizeRootFs": 6789012,
        **more,
    }


CONTAINERS = [
    container(1),
    container(2, Names=["/b/alias", "/b"], Image="sha256:" + "b" * 64, Mounts=[], Labels={}),
    container(
        3,
        Names=["/wide-日本語"],
        Image="a/b:tag@sha256:" + "c" * 64,
        Command="",
        Status="Exited (1) 2 hours ago",
    ),
    container(
        4,
        Image="host",
        Command="日本語日本語日本語日本語",
        Created=NOW - 90,
        State="created",
        Status="Created",
    ),
]
IMAGES = [
    {
        "Id": "sha256:" + "a" * 64,
        "ParentId": "",
        "RepoTags": ["busybox:latest", "busybox:1.36", "localhost:5000/a/b:c"],
        "RepoDigests": ["busybox@sha256:" + "d" * 64],
        "Created": NOW - 40 * 86400,
        "Size": 4261502,
        "SharedSize": -1,
        "Labels": {},
        "Containers": -1,
    },
    {
        "Id": "sha256:" + "e" * 64,
        "ParentId": "",
        "RepoTags": [],
        "RepoDigests": [],
        "Created": NOW - 3600,
        "Size": 999,
        "SharedSize": -1,
        "Labels": None,
        "Containers": -1,
    },
]
VOLUMES = [
    {
        "Name": name,
        "Driver": "local",
        "Mountpoint": f"/v/{name}",
        "CreatedAt": "",
        "Labels": {"a": "1"},
        "Scope": "local",
        "Options": None,
    }
    for name in ("beta", "alpha", "f" * 64)
]


HISTORY = [
    {
        "Id": "sha256:" + "a" * 64,
        "Created": NOW - 3600,
        "CreatedBy": "CMD\t[sh]",
        "Tags": ["a:b"],
        "Size": 0,
        "Comment": "c",
    },
    {
        "Id": "<missing>",
        "Created": NOW - 40 * 86400,
        "CreatedBy": "/bin/sh -c 日本語 and something that is rather long indeed",
        "Tags": None,
        "Size": 1_234_567,
        "Comment": "",
    },
]
DISK: dict[str, Any] = {
    "LayersSize": 5_000_000,
    "Images": [
        {**IMAGES[0], "Size": 4261502, "SharedSize": 1000, "Containers": 2},
        {**IMAGES[1], "Size": 999, "SharedSize": 0, "Containers": 0},
    ],
    "Containers": [container(1), container(2, State="exited", Status="Exited (0) 2 days ago", SizeRw=99)],
    "Volumes": [{**VOLUMES[0], "UsageData": {"RefCount": 1, "Size": 77}}, *VOLUMES[1:]],
    "BuildCache": [],
}
for volume in DISK["Volumes"][1:]:
    volume["UsageData"] = {"RefCount": 0, "Size": 500}
for one in DISK["Containers"]:
    del one["SizeRootFs"]


class Engine:
    """Answers listings with the documents above."""

    class containers:  # noqa: N801 - a name of the interface
        list = staticmethod(lambda **_: [dict(one) for one in CONTAINERS])

    class images:  # noqa: N801
        list = staticmethod(lambda **_: [dict(one) for one in IMAGES])
        history = staticmethod(lambda _ref: HISTORY)

    class volumes:  # noqa: N801
        list = staticmethod(lambda _filters: {"Volumes": [dict(one) for one in VOLUMES], "Warnings": None})

    disk_usage = staticmethod(lambda: DISK)


class Out:
    """A context that keeps what is printed."""

    def __init__(self) -> None:
        self.engine: Any = Engine
        self.text = ""
        self.warnings: list[str] = []

    def write(self, text: str) -> None:
        self.text += text

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def ours(module: Any, argv: list[str]) -> str:
    parsed: Parsed = parse(module.COMMAND, argv, {})
    out = Out()
    try:
        module.run(out, parsed)
    except InvalidParameter as problem:
        return problem.message
    return out.text


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--no-trunc"],
        ["-q"],
        ["-q", "--no-trunc"],
        ["-s"],
        ["--format", "json"],
        ["--format", "table"],
        ["--format", "table {{.Names}}\\t{{.ID}}\\t{{upper .State}}"],
        [
            "--format",
            'table {{.Label "a"}}\t{{.Label "com.x.some-name"}}\t{{json .Names}}\t{{truncate .ID 4}}',
        ],
        ["--format", "{{.ID}}: {{.Command}} {{.Image}} {{.Status}} {{.RunningFor}}"],
        ["--format", "{{.Names}}\\n"],
        ["--format", "{{.Labels}}|{{.Mounts}}|{{.LocalVolumes}}|{{.Networks}}|{{.Size}}|{{.Ports}}|"],
        ["--format", "{{.Mounts}}", "--no-trunc"],
        ["--format", "{{json .Names}} {{len .ID}} {{.State | upper}}"],
        ["--format", "{{range 2}}{{$.ID}}{{end}}"],
        ["--format", "{{.Foo}}"],
        ["--format", "{{.Label}}"],
        ["--format", "{{.Names.X}}"],
        ["--format", "x"],
        ["--format", "table x {{json .}}"],
        ["--format", "table {{.Names}} {{len .Names}} {{.Image}}"],
    ],
)
def test_ps(argv: list[str], fake_docker: Any) -> None:
    fake_docker.replies["/containers/json"] = CONTAINERS
    done = fake_docker.docker("ps", *argv)
    theirs = done.stdout or done.stderr.strip("\n").removeprefix("failed to execute template: ")
    if done.returncode:
        assert ours(ps, argv).removeprefix("template parsing error: ") == theirs.removeprefix(
            "template parsing error: "
        )
    else:
        newer = ',"Platform":null'  # a field that older ones of docker lack
        assert ours(ps, argv).replace(newer, "") == theirs.replace(newer, "")


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--no-trunc"],
        ["-q"],
        ["--digests"],
        ["-q", "--format", "{{.Tag}}"],
        ["-q", "--format", "table"],
        ["--digests", "--format", "table {{.ID}}"],
        [
            "--format",
            "{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}} {{.VirtualSize}} {{.CreatedSince}} {{.CreatedAt}}",
        ],
        ["--format", "json"],
        ["--format", "table {{.Repository}}\t{{.Containers}}\t{{.SharedSize}}\t{{.UniqueSize}}"],
    ],
)
def test_images(argv: list[str], fake_docker: Any) -> None:
    fake_docker.replies["/images/json"] = IMAGES
    theirs = fake_docker.docker("images", *argv).stdout
    assert sorted(ours(images, argv).splitlines()) == sorted(theirs.splitlines())  # docker's order is chance


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["-q"],
        ["--format", "json"],
        ["--format", 'table {{.Name}}\t{{.Mountpoint}}\t{{.Label "a"}}\t{{.Links}}'],
    ],
)
def test_volumes(argv: list[str], fake_docker: Any) -> None:
    fake_docker.replies["/volumes"] = {"Volumes": VOLUMES, "Warnings": None}
    assert ours(volume_ls, argv) == fake_docker.docker("volume", "ls", *argv).stdout


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["-q"],
        ["-q", "--no-trunc"],
        ["--no-trunc"],
        ["--human=false"],
        ["-H", "--format", "json"],
        ["--format", "table {{.ID}}: {{.CreatedAt}} {{.Size}}"],
        ["-q", "--format", "{{.Comment}}"],
        ["--format", "{{.Nope}}"],
    ],
)
def test_history(argv: list[str], fake_docker: Any) -> None:
    fake_docker.replies["/images/x/history"] = HISTORY
    done = fake_docker.docker("history", *argv, "x")
    assert ours(history, [*argv, "x"]) == (done.stdout or done.stderr.strip("\n"))


def test_a_history_breaks_no_table() -> None:
    """Docker prints what an image says of itself as it is."""
    step: dict[str, Any] = {**HISTORY[0], "CreatedBy": "RUN <<E\n\033[2Jx\nE", "Comment": "a\nb\udcff"}
    context = Out()
    context.engine = type("E", (), {"images": type("I", (), {"history": staticmethod(lambda _: [step])})})
    history.run(context, parse(history.COMMAND, ["x"], {}))  # type: ignore[arg-type]
    assert len(context.text.splitlines()) == 2
    assert "RUN <<E  [2Jx E" in context.text
    assert "\033" not in context.text
    context.text = ""
    history.run(context, parse(history.COMMAND, ["--no-trunc", "--format", "{{.CreatedBy}}", "x"], {}))  # type: ignore[arg-type]
    assert context.text == step["CreatedBy"] + "\n"


HOSTILE = container(
    5,
    Command="\033[2J\t\n\x9b\udcff\u202e日本",
    Labels={"a": "x\ty\nz", "big": "w" * (1 << 20), "bad": "\udcff\udcfe", "esc": "\033[31m"},
    Names=["/h"],
)


def test_hostile_containers_break_no_table() -> None:
    """The command is quoted as Go does, so nothing in it reaches the terminal; as docker prints it."""
    context = Out()
    containers = {"list": staticmethod(lambda **_: [HOSTILE])}
    context.engine = type("Engine", (), {"containers": type("Containers", (), containers)})
    ps.run(context, parse(ps.COMMAND, ["--no-trunc"], {}))  # type: ignore[arg-type]
    header, line = context.text.splitlines()
    assert r'"\x1b[2J\t\n\u009b\xff\u202e日本"' in line
    assert columns(line[: line.rindex("h")]) == header.index("NAMES")
    for source in ("json", "{{.Labels}}", '{{.Label "bad"}}', "table {{.Names}}\t{{.Labels}}", "{{json .}}"):
        context.text = ""
        ps.run(context, parse(ps.COMMAND, ["--format", source], {}))  # type: ignore[arg-type]
        assert context.text.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["-v"],
        ["--format", "json"],
        ["--format", "table {{.Type}}\t{{.Reclaimable}}"],
        ["--format", "{{.Type}} {{.TotalCount}} {{.Active}} {{.Size}} {{.Reclaimable}}"],
        ["-v", "--format", "{{range .Images}}{{.Repository}} {{.UniqueSize}};{{end}}"],
    ],
)
def test_disk_usage(argv: list[str], fake_docker: Any) -> None:
    """Docker sorts nothing here, and names one of an image's tags where we name them all."""
    only = {**DISK, "Images": [{**image, "RepoTags": image["RepoTags"][:1]} for image in DISK["Images"]]}
    fake_docker.replies["/system/df"] = only
    context = Out()
    context.engine = type("Disk", (), {"disk_usage": staticmethod(lambda: only)})
    system_df.run(context, parse(system_df.COMMAND, argv, {}))  # type: ignore[arg-type]
    theirs = fake_docker.docker("system", "df", *argv).stdout
    assert sorted(context.text.splitlines()) == sorted(theirs.splitlines())


def test_a_format_is_no_use_to_quiet() -> None:
    context = Out()
    ps.run(context, parse(ps.COMMAND, ["-q", "--format", "{{.Names}}"], {}))  # type: ignore[arg-type]
    assert context.text.splitlines()[0] == f"{1:064x}"[:12]
    assert context.warnings == ["ignoring custom format, because both --format and --quiet are set"]


@pytest.mark.parametrize(
    ("argv", "wanted"),
    [([], False), (["-s"], True), (["--format", "{{.Size}}"], True), (["--format", "{{json .}}"], True)],
)
def test_sizes_are_measured_if_they_are_shown(argv: list[str], wanted: bool) -> None:
    asked: list[bool] = []
    context = Out()

    def listed(**options: Any) -> list[Any]:
        asked.append(options["size"])
        return []

    containers = {"list": staticmethod(listed)}
    context.engine = type("Engine", (), {"containers": type("Containers", (), containers)})
    ps.run(context, parse(ps.COMMAND, argv, {}))  # type: ignore[arg-type]
    assert asked == [wanted]


STATS = {
    "id": "a" * 64,
    "name": "/web",
    "cpu_stats": {"cpu_usage": {"total_usage": 3_000}, "system_cpu_usage": 20_000, "online_cpus": 2},
    "precpu_stats": {"cpu_usage": {"total_usage": 1_000}, "system_cpu_usage": 10_000},
    "memory_stats": {"usage": 5 << 20, "limit": 10 << 20, "stats": {"inactive_file": 1 << 20}},
    "networks": {"eth0": {"rx_bytes": 1500, "tx_bytes": 20}, "eth1": {"rx_bytes": 500, "tx_bytes": 0}},
    "blkio_stats": {
        "io_service_bytes_recursive": [
            {"op": "Read", "value": 4096},
            {"op": "write", "value": 1},
            {"op": "Total", "value": 9},
        ]
    },
    "pids_stats": {"current": 3},
}


def test_stats() -> None:
    from pyctr.cli.output.listing import render

    records = [stats_record("web", STATS, truncate=True), stats_record("gone", None, truncate=True)]
    lines = render(STATS_TABLE, records, STATS_HEADERS).splitlines()
    assert lines[0].split("   ")[0] == "CONTAINER ID"
    assert lines[1].split() == [
        "aaaaaaaaaaaa",
        "web",
        "40.00%",
        "4MiB",
        "/",
        "10MiB",
        "40.00%",
        "2kB",
        "/",
        "20B",
        "4.1kB",
        "/",
        "1B",
        "3",
    ]
    assert lines[2].split() == ["--", "--", "--", "/", "--", "--", "--", "--", "--"]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0B"),
        (999, "999B"),
        (1000, "1kB"),
        (1_234_567, "1.235MB"),
        (10**15, "1PB"),
        (999_999, "1000kB"),
        (1.5e12, "1.5TB"),
    ],
)
def test_human_size(size: float, text: str) -> None:
    assert human_size(size) == text


def test_other_units() -> None:
    assert human_size(1_234_567, 3) == "1.23MB"
    assert human_size(999_999, 3) == "1e+03kB"  # so does docker
    assert bytes_size(104857600) == "100MiB"
    assert bytes_size(1 << 40) == "1TiB"
    assert short_id("sha256:" + "a" * 64) == "a" * 12
    assert (columns("ab"), columns("日本")) == (2, 4)
    assert ellipsis("abcdef", 4) == "abc…"
    assert ellipsis("日本語", 5) == "日本…"
    assert ellipsis("abc", 3) == "abc"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "Less than a second"),
        (1, "1 second"),
        (59.9, "59 seconds"),
        (60, "About a minute"),
        (125, "2 minutes"),
        (3600, "About an hour"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
        (14 * 86400, "2 weeks"),
        (60 * 86400, "2 months"),
        (729 * 86400, "24 months"),
        (730 * 86400, "2 years"),
    ],
)
def test_human_duration(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


CELLS = st.text("ab日", max_size=12)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6))
def test_columns_align(rows: list[list[str]]) -> None:
    text = "".join("\t".join(row) + "\n" for row in rows)
    lines = align(text).splitlines()
    widths = [max(10, *(columns(row[column]) + 3 for row in rows)) for column in (0, 1)]
    for row, line in zip(rows, lines, strict=True):
        expected = "".join(
            cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=False)
        )
        assert line == expected + row[2]


def test_a_column_ends_with_the_lines_that_have_it() -> None:
    assert align("aaaaaaaaaa\tb\nc\nd\te\n") == "aaaaaaaaaa   b\nc\nd         e\n"
