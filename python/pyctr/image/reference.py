"""References to images, by docker's grammar: ``[domain/]path[:tag][@digest]``.

What a user types is short for more: ``busybox`` is ``docker.io/library/busybox:latest``. Here the long form
is kept and compared, the short (*familiar*) one is shown. Written without ``re``, whose import ``pyctr run``
would feel.
"""

from __future__ import annotations

from pyctr.errors import InvalidParameter

DEFAULT_DOMAIN = "docker.io"
OFFICIAL = "library/"
DEFAULT_TAG = "latest"
MAX_NAME = 255
MAX_TAG = 128

_HEX = frozenset("0123456789abcdef")
_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ALNUM = _LETTERS | _LOWER
_TAG = _ALNUM | frozenset("_.-")
_DIGESTS = {"sha256": 64, "sha384": 96, "sha512": 128}


class Reference:
    """A normalized reference; ``tag`` and ``digest`` are empty when it has none."""

    __slots__ = ("digest", "domain", "path", "tag")

    def __init__(self, domain: str, path: str, tag: str = "", digest: str = "") -> None:
        self.domain = domain
        self.path = path
        self.tag = tag
        self.digest = digest

    @property
    def repository(self) -> str:
        """``docker.io/library/busybox``."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar_repository(self) -> str:
        """``busybox``: what people call it."""
        if self.domain != DEFAULT_DOMAIN:
            return self.repository
        short = self.path.removeprefix(OFFICIAL)
        return self.path if "/" in short else short

    @property
    def name(self) -> str:
        """The whole of it, normalized: what the store keeps."""
        return self.repository + self._suffix()

    @property
    def familiar(self) -> str:
        """The whole of it, as it is shown: ``busybox:latest``."""
        return self.familiar_repository + self._suffix()

    def tagged(self) -> Reference:
        """With the tag ``latest`` if it has neither tag nor digest."""
        if self.tag or self.digest:
            return self
        return Reference(self.domain, self.path, DEFAULT_TAG)

    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"Reference({self.name!r})"


def parse(text: str) -> Reference:
    """Read what a user typed. InvalidParameter, in docker's words, when it is no reference."""
    if len(text) == 64 and _HEX.issuperset(text):
        raise InvalidParameter(
            f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
        )
    rest, at, digest = text.partition("@")
    if at and not _is_digest(digest):
        raise _invalid(text)
    rest, tag = _split_tag(rest)
    if tag is not None and not _is_tag(tag):
        raise _invalid(text)
    domain, path = _split_domain(rest)
    if path != path.lower():
        raise InvalidParameter(f"invalid reference format: repository name ({path}) must be lowercase")
    if not _is_domain(domain) or not all(_is_component(part) for part in path.split("/")):
        raise _invalid(text)
    if len(domain) + 1 + len(path) > MAX_NAME:
        raise InvalidParameter(f"repository name must not be more than {MAX_NAME} characters")
    return Reference(domain, path, tag or "", digest)


def is_id(text: str) -> bool:
    """``sha256:`` and 64 hexadecimal digits: an image's id, which is never taken for a name."""
    return text.startswith("sha256:") and len(text) == 71 and _HEX.issuperset(text[7:])


def familiar(name: str) -> str:
    """The short form of a name that the store keeps."""
    return parse(name).familiar


def _invalid(text: str) -> InvalidParameter:
    return InvalidParameter(f'invalid reference format: "{text}"')


def _split_tag(text: str) -> tuple[str, str | None]:
    """Cut ``:tag`` off; a colon before the last slash belongs to a port."""
    colon = text.rfind(":")
    if colon <= text.rfind("/"):
        return text, None
    return text[:colon], text[colon + 1 :]


def _split_domain(text: str) -> tuple[str, str]:
    """What is before the first slash is a domain if it looks like one; else it is docker.io's."""
    first, slash, rest = text.partition("/")
    is_domain = slash and ("." in first or ":" in first or first == "localhost" or first != first.lower())
    domain, path = (first, rest) if is_domain else (DEFAULT_DOMAIN, text)
    if domain == "index.docker.io":
        domain = DEFAULT_DOMAIN
    if domain == DEFAULT_DOMAIN and "/" not in path:
        path = OFFICIAL + path
    return domain, path


def _is_domain(text: str) -> bool:
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not colon:
        host = text
    elif not port or not (port.isascii() and port.isdigit()):
        return False
    if host.startswith("["):
        return (
            host.endswith("]")
            and len(host) > 2
            and frozenset("0123456789abcdefABCDEF:").issuperset(host[1:-1])
        )
    return all(_is_label(label) for label in host.split("."))


def _is_label(text: str) -> bool:
    inside = _ALNUM.issuperset(text.replace("-", ""))
    return bool(text) and inside and text[0] != "-" and text[-1] != "-"


def _is_component(text: str) -> bool:
    """Lowercase letters and digits, joined by ``.``, ``_``, ``__`` or any number of ``-``."""
    if not text or text[0] not in _LOWER or text[-1] not in _LOWER:
        return False
    run = ""
    for char in text:
        if char in _LOWER:
            if run not in ("", ".", "_", "__") and run.strip("-"):
                return False
            run = ""
        elif char in "._-":
            run += char
        else:
            return False
    return True


def _is_tag(text: str) -> bool:
    return 0 < len(text) <= MAX_TAG and text[0] not in ".-" and _TAG.issuperset(text)


def _is_digest(text: str) -> bool:
    algorithm, _, value = text.partition(":")
    return len(value) == _DIGESTS.get(algorithm) and _HEX.issuperset(value)
