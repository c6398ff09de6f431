"""Where ``cp`` puts things: docker's rules, which are those of ``cp -a`` with a few differences.

=======================  ==========================  =============================
source, destination       a directory                 a file, or nothing
=======================  ==========================  =============================
a directory              copied into it              refused if a file; else becomes it
``directory/.``          its contents into it        the same
a file                   copied into it              replaces or becomes it
=======================  ==========================  =============================
"""

from __future__ import annotations

import posixpath

from pyctr.errors import InvalidParameter, NotFound

DIRECTORY_BIT = 1 << 31
SYMLINK_BIT = 1 << 27
"""Of Go's file modes, which the engine's path documents have."""


class Side:
    """One end of a copy: a path, and what is there (``is_directory`` None: nothing)."""

    __slots__ = ("is_directory", "path")

    def __init__(self, path: str, is_directory: bool | None) -> None:
        self.path = path
        self.is_directory = is_directory

    @property
    def exists(self) -> bool:
        return self.is_directory is not None


class Plan:
    """Unpack in the directory ``into``; what is copied is then called ``name`` (empty: keeps its name)."""

    __slots__ = ("into", "name")

    def __init__(self, into: str, name: str) -> None:
        self.into = into
        self.name = name


def split_argument(argument: str) -> tuple[str, str]:
    """Split ``CONTAINER:PATH``; the container is empty for a path of ours, which may start with / or . ."""
    if argument.startswith(("/", ".")):
        return "", argument
    container, colon, path = argument.partition(":")
    return (container, path) if colon else ("", argument)


def split_path(path: str) -> tuple[str, str]:
    """Return directory and last name of a path; the last name of ``a/.`` is ``.``."""
    cleaned = posixpath.normpath(path) if path else "."
    if means_contents(path):
        return cleaned, "."
    return posixpath.split(cleaned)


def means_contents(path: str) -> bool:
    """Tell whether a path names what is in a directory rather than the directory."""
    return posixpath.basename(path) == "."


def plan(source: Side, destination: Side) -> Plan:
    """Decide where to unpack and under which name; raises where the two do not go together."""
    if destination.is_directory:
        return Plan(destination.path, "")
    if destination.exists and source.is_directory:
        raise InvalidParameter("cannot copy directory")
    if not destination.exists and not source.is_directory and _asserts_directory(destination.path):
        raise NotFound(f"no such directory: {destination.path}")
    into, name = split_path(destination.path)
    return Plan(into or ".", name)


def _asserts_directory(path: str) -> bool:
    return path.endswith("/") or means_contents(path)
