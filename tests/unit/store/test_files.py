from __future__ import annotations

import os
from pathlib import Path

import pytest

from pyctr.store import files, owner
from pyctr.store.paths import Paths


def test_write_and_read(tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    assert files.read(path) == b""
    files.write(path, b"hello", 0o640)
    assert files.read(path) == b"hello"
    files.replace(path, b"other")
    assert files.read(path) == b"other"
    assert os.listdir(tmp_path) == ["file"]
    with pytest.raises(ValueError, match="larger than 2"):
        files.read(path, 2)


def test_nothing_follows_a_link(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(OSError, match="symbolic links"):
        files.write(str(tmp_path / "link"), b"x")
    with pytest.raises(OSError, match="symbolic links"):
        files.read(str(tmp_path / "link"))
    assert target.read_text() == "precious"


def test_remove_tree_stays_inside(tmp_path: Path) -> None:
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    outside.mkdir()
    (outside / "precious").write_text("")
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "file").write_text("")
    (tree / "a" / "link").symlink_to(outside)
    (tree / "a" / "b" / "up").symlink_to("../../..")
    assert files.remove_tree(str(tree)) == []
    assert not tree.exists()
    assert (outside / "precious").exists()


def test_remove_tree_of_a_link_removes_the_link(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to("target")
    assert files.remove_tree(str(tmp_path / "link")) == []
    assert os.listdir(tmp_path) == ["target"]


def test_remove_tree_copes_with_any_depth(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    here = os.open(tree, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=here)
        deeper = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    assert files.remove_tree(str(tree)) == []
    assert not tree.exists()


def test_remove_tree_twice_is_harmless(tmp_path: Path) -> None:
    assert files.remove_tree(str(tmp_path / "never")) == []


def test_discard_moves_out_of_sight(tmp_path: Path) -> None:
    paths = Paths(str(tmp_path / "root"), str(tmp_path / "run"))
    paths.prepare()
    (tmp_path / "root" / "thing").mkdir()
    trash = files.discard(str(tmp_path / "root" / "thing"), paths.trash)
    assert trash is not None
    assert os.path.isdir(trash)
    assert files.discard(str(tmp_path / "root" / "thing"), paths.trash) is None


def test_temporary_names_tell_their_owner(tmp_path: Path) -> None:
    paths = Paths(str(tmp_path / "root"), str(tmp_path / "run"))
    name = os.path.basename(files.temporary(paths))
    assert owner.alive(name.partition(".")[0])
