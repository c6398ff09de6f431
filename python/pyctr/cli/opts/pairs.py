"""Checks of single ``key=value`` option values: environment, labels, sysctls, streams."""

from __future__ import annotations

_SYSCTLS = (
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
)


def env(text: str) -> str:
    """``NAME=value``, or ``NAME`` alone to pass our own value on; a name we do not have stays alone."""
    from os import environ

    name, equals, _ = text.partition("=")
    if not name:
        raise ValueError(f"invalid environment variable: {text}")
    if not equals and name in environ:
        return f"{name}={environ[name]}"
    return text


def label(text: str) -> str:
    """``key`` or ``key=value``; the key has no blanks."""
    key = text.partition("=")[0].lstrip(" \t")
    if not key:
        raise ValueError(f"invalid label '{text}': empty name")
    if " " in key or "\t" in key:
        raise ValueError(f"label '{key}' contains whitespaces")
    return text


def sysctl(text: str) -> str:
    """A namespaced ``name=value``."""
    name, equals, _ = text.partition("=")
    if equals and name and (name in _SYSCTLS or name.startswith(("net.", "fs.mqueue."))):
        return text
    raise ValueError(f"sysctl '{text}' is not allowed")


def stream(text: str) -> str:
    """One of stdin, stdout, stderr, in any case."""
    lowered = text.lower()
    if lowered not in ("stdin", "stdout", "stderr"):
        raise ValueError("valid streams are STDIN, STDOUT and STDERR")
    return lowered
