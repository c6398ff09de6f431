"""images: list them."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

from pyctr.engine.clock import SECOND, parse_moment
from pyctr.engine.image.find import find, host_row
from pyctr.errors import InvalidParameter
from pyctr.image import host, reference
from pyctr.store.images import ImageRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyctr.engine import types as t
    from pyctr.engine.core import Core
    from pyctr.store.images import ImageRow

    Test = Callable[[ImageRow, Sequence[str]], bool]

FILTERS = ("before", "dangling", "label", "label!", "reference", "since", "until")
_TRUE, _FALSE = ("1", "t", "true"), ("0", "f", "false")


def list_images(
    core: Core, *, filters: t.Filters | None = None, digests: bool = False
) -> list[t.ImageSummary]:
    """``GET /images/json``: newest first. ``digests`` changes nothing: they are always there."""
    del digests
    rows, names = everything(core)
    tests = _tests(core, filters or {})
    users = dict(core.db.rows("SELECT image_id, count(*) FROM containers GROUP BY image_id"))
    patterns = _patterns((filters or {}).get("reference", ()))
    found = []
    for row in rows:
        known: Sequence[str] = names.get(row.id, ())
        if patterns:
            known = [name for name in known if any(_matches(name, pattern) for pattern in patterns)]
        if (known or not patterns) and all(test(row, names.get(row.id, ())) for test in tests):
            found.append(_summary(row, known, users.get(row.id, 0)))
    return found


def everything(core: Core) -> tuple[list[ImageRow], dict[str, list[str]]]:
    """All images with the host's, newest first, and the normalized names of each."""
    images = ImageRows(core.db)
    machine = host_row()
    return [*images.all(), machine], {**images.names(), machine.id: [host.NAME]}


def tags_and_digests(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names as docker shows them, in two lists."""
    shown = [reference.familiar(name) for name in names]
    return [name for name in shown if "@" not in name], [name for name in shown if "@" in name]


def truth(name: str, values: Sequence[str]) -> bool | None:
    """The value of a filter that is true or false; None when it was not given."""
    wanted = {value.lower() for value in values}
    if not wanted:
        return None
    if wanted <= {*_TRUE} or wanted <= {*_FALSE}:
        return wanted <= {*_TRUE}
    raise InvalidParameter(f"invalid filter '{name}=[{' '.join(values)}]'")


def check_filters(filters: t.Filters, allowed: Sequence[str]) -> None:
    for key in filters:
        if key not in allowed:
            raise InvalidParameter(f"invalid filter '{key}'")


def label_tests(filters: t.Filters) -> list[Test]:
    """``label=a``, ``label=a=b``, and ``label!`` for the opposite."""
    wanted = [_has_label(text) for text in filters.get("label", ())]
    refused = [_has_label(text) for text in filters.get("label!", ())]
    return [*wanted, *((lambda row, names, test=test: not test(row, names)) for test in refused)]


def until_tests(filters: t.Filters) -> list[Test]:
    moments = [parse_moment("until", text) or 0 for text in filters.get("until", ())]
    return [lambda row, _: all(row.created < moment for moment in moments)] if moments else []


def _summary(row: ImageRow, names: Sequence[str], containers: int) -> t.ImageSummary:
    tags, digests = tags_and_digests(names)
    return {
        "Id": row.id,
        "ParentId": "",
        "RepoTags": tags,
        "RepoDigests": digests,
        "Created": row.created // SECOND,
        "Size": row.size,
        "SharedSize": -1,
        "Labels": _labels(row) or None,
        "Containers": containers,
    }


def _tests(core: Core, filters: t.Filters) -> list[Test]:
    check_filters(filters, FILTERS)
    tests = [*label_tests(filters), *until_tests(filters)]
    dangling = truth("dangling", filters.get("dangling", ()))
    if dangling is not None:
        tests.append(lambda _, names: bool(names) != dangling)
    for text in filters.get("before", ()):
        tests.append(_created(core, text, -1))
    for text in filters.get("since", ()):
        tests.append(_created(core, text, 1))
    return tests


def _patterns(texts: Sequence[str]) -> Sequence[str]:
    """The patterns of ``reference``, of which docker refuses those that end inside of brackets."""
    for text in texts:
        start = text.rfind("[")
        if start >= 0 and "]" not in text[start + 2 :]:
            raise InvalidParameter(f"invalid filter 'reference={text}': syntax error in pattern")
    return texts


def _created(core: Core, text: str, sign: int) -> Test:
    moment = find(core, text).created
    return lambda row, _: sign * row.created > sign * moment


def _has_label(text: str) -> Test:
    name, equals, value = text.partition("=")

    def test(row: ImageRow, _: Sequence[str]) -> bool:
        labels = _labels(row)
        return name in labels and (not equals or labels[name] == value)

    return test


def _labels(row: ImageRow) -> dict[str, str]:
    labels: dict[str, str] = (json.loads(row.doc).get("config") or {}).get("Labels") or {}
    return labels


def _matches(name: str, pattern: str) -> bool:
    """A shell pattern for the familiar name, with or without its tag; a star does not reach over a slash."""
    parsed = reference.parse(name)
    return any(_path_match(text, pattern) for text in (parsed.familiar, parsed.familiar_repository))


def _path_match(text: str, pattern: str) -> bool:
    parts, patterns = text.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))
