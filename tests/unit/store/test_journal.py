from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pyctr.store import journal as journal_module
from pyctr.store.journal import Journal


def actions(journal: Journal) -> list[str]:
    return [event["Action"] for event in journal.read()]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "events.json"))
    journal.write("container", "start", "abc", {"name": "web"}, at=1_500_000_000_123_456_789)
    (event,) = journal.read()
    assert event == {
        "Type": "container",
        "Action": "start",
        "Actor": {"ID": "abc", "Attributes": {"name": "web"}},
        "scope": "local",
        "time": 1_500_000_000,
        "timeNano": 1_500_000_000_123_456_789,
    }
    journal.close()


def test_a_damaged_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "events.json"
    journal = Journal(str(path))
    journal.write("container", "one", "a", {})
    with path.open("ab") as file:
        file.write(b'{"Type": "container", "Act\n\x00\x00\n[]\n')
    journal.write("container", "two", "a", {})
    assert actions(journal) == ["one", "two"]
    journal.close()


def test_it_stays_small_and_followers_miss_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "MAX_BYTES", 2000)
    journal, other = Journal(str(tmp_path / "events.json")), Journal(str(tmp_path / "events.json"))
    follower = journal.follow()
    assert next(follower) is None
    seen = []
    for number in range(100):
        (journal if number % 2 else other).write("container", str(number), "a", {})
        while (event := next(follower)) is not None:
            seen.append(event["Action"])
    assert seen == [str(number) for number in range(100)]
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert max(sizes) < 2300
    journal.close()
    other.close()


WRITE_MANY = """
import sys
import threading
from pyctr.store.journal import Journal
journal, name = Journal(sys.argv[1]), sys.argv[2]
for number in range(200):
    journal.write("container", f"{name}{number}", name * 64, {"name": name * 100})
"""


def test_lines_of_many_processes_do_not_mix(tmp_path: Path) -> None:
    path = str(tmp_path / "events.json")
    workers = [subprocess.Popen([sys.executable, "-c", WRITE_MANY, path, name]) for name in "abc"]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    assert sorted(actions(Journal(path))) == sorted(
        f"{name}{number}" for name in "abc" for number in range(200)
    )


def test_a_full_disk_loses_the_event_alone() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    journal = Journal("/dev/full")
    journal.write("container", "start", "abc", {})
    journal.close()


def test_threads_share_a_journal_that_turns_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "MAX_BYTES", 500)
    journal = Journal(str(tmp_path / "events.json"))
    opened = [os.open(tmp_path / f"other{number}", os.O_CREAT | os.O_RDWR) for number in range(20)]

    def work(name: str) -> None:
        for number in range(100):
            journal.write("container", f"{name}{number}", "a", {})
            os.close(os.open(tmp_path / f"{name}{number}", os.O_CREAT | os.O_RDWR))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    for fd in opened:
        os.close(fd)
    assert all(path.stat().st_size == 0 for path in tmp_path.iterdir() if not path.name.startswith("events"))
