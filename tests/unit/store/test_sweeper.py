"""What is removed is out of sight at once, and gone in the end."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest

from pyctr.store import files
from pyctr.store.sweeper import Sweeper


@pytest.fixture
def trash(tmp_path: Path) -> Path:
    path = tmp_path / "trash"
    path.mkdir()
    return path


def tree(path: Path) -> Path:
    (path / "a" / "b").mkdir(parents=True)
    (path / "a" / "file").write_text("x")
    return path


@pytest.mark.parametrize("lasting", [False, True])
def test_all_of_it_goes(tmp_path: Path, trash: Path, lasting: bool) -> None:
    sweeper = Sweeper(lasting=lasting)
    for n in range(20):
        path = tree(tmp_path / str(n))
        assert sweeper.remove(str(path), str(trash)) == []
        assert not path.exists()
    sweeper.wait()
    assert list(trash.iterdir()) == []


@pytest.mark.parametrize("lasting", [False, True])
def test_what_is_not_there(tmp_path: Path, trash: Path, lasting: bool) -> None:
    sweeper = Sweeper(lasting=lasting)
    assert sweeper.remove(str(tmp_path / "never"), str(trash)) == []
    sweeper.start()
    sweeper.wait()


def test_nobody_waits_in_a_process_that_lives_on(
    tmp_path: Path, trash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, opened = os.pipe()
    remove_tree = files.remove_tree

    def held_up(path: str) -> list[OSError]:
        os.read(gate, 1)
        return remove_tree(path)

    monkeypatch.setattr(files, "remove_tree", held_up)
    sweeper = Sweeper(lasting=True)
    for n in range(2):
        sweeper.remove(str(tree(tmp_path / str(n))), str(trash))
        sweeper.start()
    assert len(list(trash.iterdir())) == 2
    os.write(opened, b"12")
    sweeper.wait()
    assert list(trash.iterdir()) == []
    os.close(gate)
    os.close(opened)


def test_a_child_waits_for_nobody(tmp_path: Path, trash: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After fork(2) there is no thread that could let it go on."""
    gate, opened = os.pipe()
    monkeypatch.setattr(files, "remove_tree", lambda path: os.read(gate, 1))
    sweeper = Sweeper(lasting=True)
    sweeper.remove(str(tree(tmp_path / "t")), str(trash))
    sweeper.start()
    with warnings.catch_warnings():  # Python 3.12 warns of threads and fork
        warnings.simplefilter("ignore")
        child = os.fork()
    if not child:
        sweeper.wait()
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    os.write(opened, b"1")
    sweeper.wait()
    os.close(gate)
    os.close(opened)


def test_a_trash_that_cannot_take_it(tmp_path: Path) -> None:
    """A directory cannot be moved into itself: then it is removed where it is."""
    path = tree(tmp_path / "t")
    assert Sweeper(lasting=True).remove(str(path), f"{path}/a") == []
    assert not path.exists()


def test_trouble_leaves_it_to_the_next_command(
    tmp_path: Path, trash: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweeper = Sweeper(lasting=True)
    monkeypatch.setattr(files, "remove_tree", lambda path: [OSError(24, "Too many open files")])
    sweeper.remove(str(tree(tmp_path / "t")), str(trash))
    sweeper.wait()
    assert len(list(trash.iterdir())) == 1
    monkeypatch.undo()
    sweeper.remove(str(tree(tmp_path / "u")), str(trash))
    sweeper.wait()
    assert len(list(trash.iterdir())) == 1
