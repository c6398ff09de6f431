"""Where ``cp`` puts what it copies."""

from __future__ import annotations

import pytest

from pyctr.cli.copying import Side, plan, split_argument, split_path
from pyctr.errors import PyctrError

FILE, DIRECTORY, NOTHING = False, True, None


@pytest.mark.parametrize(
    ("source", "is_directory", "destination", "there", "into", "name"),
    [
        ("/a/f", FILE, "/b", DIRECTORY, "/b", ""),
        ("/a/f", FILE, "/b/", DIRECTORY, "/b/", ""),
        ("/a/f", FILE, "/b/g", FILE, "/b", "g"),
        ("/a/f", FILE, "/b/g", NOTHING, "/b", "g"),
        ("/a/f", FILE, "g", NOTHING, ".", "g"),
        ("/a", DIRECTORY, "/b", DIRECTORY, "/b", ""),
        ("/a/.", DIRECTORY, "/b", DIRECTORY, "/b", ""),
        ("/a", DIRECTORY, "/b/c", NOTHING, "/b", "c"),
        ("/a", DIRECTORY, "/b/c/", NOTHING, "/b", "c"),
    ],
)
def test_plan(  # noqa: PLR0917 - a row of the table
    source: str, is_directory: bool, destination: str, there: bool | None, into: str, name: str
) -> None:
    made = plan(Side(source, is_directory), Side(destination, there))
    assert (made.into, made.name) == (into, name)


@pytest.mark.parametrize(
    ("is_directory", "destination", "there", "words"),
    [(DIRECTORY, "/b", FILE, "cannot copy directory"), (FILE, "/b/", NOTHING, "no such directory: /b/")],
)
def test_what_does_not_go_together(
    is_directory: bool, destination: str, there: bool | None, words: str
) -> None:
    with pytest.raises(PyctrError, match=words):
        plan(Side("/a", is_directory), Side(destination, there))


@pytest.mark.parametrize(
    ("argument", "container", "path"),
    [
        ("box:/a", "box", "/a"),
        ("box:a:b", "box", "a:b"),
        ("box:", "box", ""),
        ("/box:/a", "", "/box:/a"),
        ("./box:a", "", "./box:a"),
        ("../b:a", "", "../b:a"),
        ("file", "", "file"),
        ("-", "", "-"),
    ],
)
def test_split_argument(argument: str, container: str, path: str) -> None:
    assert split_argument(argument) == (container, path)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/a/b", ("/a", "b")),
        ("/a/b/", ("/a", "b")),
        ("/a/b/.", ("/a/b", ".")),
        ("b", ("", "b")),
        ("/", ("/", "")),
        ("", ("", ".")),
        (".", (".", ".")),
        ("a//b", ("a", "b")),
    ],
)
def test_split_path(path: str, parts: tuple[str, str]) -> None:
    assert split_path(path) == parts
