from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyctr.engine.container import logs as logs_module
from pyctr.engine.container.logs import LogFile, _pieces, _prefixer, attributes


def entry(text: str, stream: str = "stdout", time: str = "2023-11-14T22:13:20.5Z") -> bytes:
    return json.dumps({"log": text, "stream": stream, "time": time}).encode() + b"\n"


def texts(file: LogFile, tail: int | None = None) -> list[str]:
    return [json.loads(line)["log"] for line in file.lines(tail, None)]


def test_rotated_files_in_order(tmp_path: Path) -> None:
    path = tmp_path / "log"
    (tmp_path / "log.2").write_bytes(entry("one\n"))
    (tmp_path / "log.1").write_bytes(entry("two\n") + entry("three\n"))
    path.write_bytes(entry("four\n"))
    file = LogFile(str(path))
    assert texts(file) == ["one\n", "two\n", "three\n", "four\n"]
    assert texts(file, 2) == ["three\n", "four\n"]
    assert texts(file, 3) == ["two\n", "three\n", "four\n"]
    assert texts(file, 0) == []
    assert texts(file, 99) == texts(file)
    assert texts(LogFile(str(tmp_path / "none"))) == []


@given(st.lists(st.text(max_size=30), max_size=40), st.integers(0, 45), st.integers(1, 64))
def test_tail_is_the_end_whatever_the_block(lines: list[str], count: int, block: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs_module, "BLOCK_BYTES", block)
        path = Path(directory) / "log"
        path.write_bytes(b"".join(entry(line) for line in lines))
        expected = lines[-count:] if count else []
        assert texts(LogFile(str(path)), count) == expected


def test_following_sees_new_lines_half_lines_and_rotation(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(entry("one\n"))
    half = entry("three\n")

    def second() -> None:
        with path.open("ab") as file:
            file.write(entry("two\n") + half[:10])

    def third() -> None:
        with path.open("ab") as file:
            file.write(half[10:])
        path.rename(tmp_path / "log.1")

    def fourth() -> None:
        path.write_bytes(entry("four\n"))

    steps = [second, third, fourth]

    def ended() -> bool:
        if steps:
            steps.pop(0)()
            return False
        return True

    found = [json.loads(line)["log"] for line in LogFile(str(path)).lines(None, ended)]
    assert found == ["one\n", "two\n", "three\n", "four\n"]


def test_what_is_written_last_is_not_missed(tmp_path: Path) -> None:
    path = tmp_path / "log"

    def ended() -> bool:
        path.write_bytes(entry("last words\n"))
        return True

    assert [json.loads(line)["log"] for line in LogFile(str(path)).lines(None, ended)] == ["last words\n"]


def pieces(
    lines: list[bytes], *, stamps: bool = False, details: dict[str, str] | None = None, **between: int
) -> list[tuple[int, bytes]]:
    wanted, prefix = {"stdout", "stderr"}, _prefixer(stamps, details)
    return list(_pieces(lines, wanted, between.get("first"), between.get("last"), prefix))


def test_streams_prefixes_and_damage() -> None:
    lines = [entry("a\n"), b'{"log": "cut\n', b"\0\0\0\n", b"[]\n", entry("b\n", "stderr")]
    assert pieces(lines) == [(1, b"a\n"), (2, b"b\n")]
    stamp = b"2023-11-14T22:13:20.500000000Z "
    assert pieces(lines, stamps=True) == [(1, stamp + b"a\n"), (2, stamp + b"b\n")]


def test_a_long_line_gets_one_stamp() -> None:
    lines = [entry("long "), entry("line\n"), entry("next\n")]
    assert b"".join(piece for _, piece in pieces(lines, stamps=True)).count(b"2023-11-14") == 2


def test_between_two_moments() -> None:
    lines = [entry(f"{second}\n", time=f"2023-11-14T22:13:2{second}Z") for second in range(5)]
    base = 1_700_000_000 * 10**9
    assert [piece for _, piece in pieces(lines, first=base + 10**9, last=base + 3 * 10**9)] == [
        b"1\n",
        b"2\n",
        b"3\n",
    ]


def test_details_come_from_the_entry() -> None:
    line = (
        json.dumps({"log": "x\n", "stream": "stdout", "time": "t", "attrs": {"b": "2", "a": "1"}}).encode()
        + b"\n"
    )
    assert pieces([line], details={}) == [(1, b"a=1,b=2 x\n")]


def test_details_are_always_a_word_of_their_own() -> None:
    """As docker has it: an empty one where there are none, and those of a URL's query elsewhere."""
    assert pieces([entry("x\n")], details={}) == [(1, b" x\n")]
    assert pieces([entry("x\n")], details={"b": "x y", "a": "&="}) == [(1, b"a=%26%3D,b=x+y x\n")]


def test_details_are_what_the_log_options_name() -> None:
    options = {"labels": "p,missing", "env": "FOO"}
    document = {
        "Config": {"Labels": {"p": "q", "other": "1"}, "Env": ["FOO=bar=2", "HOME=/"]},
        "HostConfig": {"LogConfig": {"Type": "json-file", "Config": options}},
    }
    assert attributes(document) == {"p": "q", "FOO": "bar=2"}
