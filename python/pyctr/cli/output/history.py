"""What ``history`` shows of each step an image was made in."""

from __future__ import annotations

from pyctr.cli.output.units import ago, ellipsis, human_size, short_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.template import Record
    from pyctr.engine.types import Json

HISTORY_HEADERS = {
    "ID": "IMAGE",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "CreatedBy": "CREATED BY",
    "Size": "SIZE",
    "Comment": "COMMENT",
}


def history_record(step: Json, *, human: bool, truncate: bool) -> Record:
    """Return one line of ``history``; not ``human``: moments and bytes instead of spans and units."""
    from pyctr.cli.template import Record

    created, by = step["Created"], step["CreatedBy"].replace("\t", " ")
    since = (ago(created) if created > 0 else "N/A") if human else _moment(created)
    return Record(
        {
            "ID": lambda: short_id(step["Id"]) if truncate else step["Id"],
            "CreatedSince": lambda: since,
            "CreatedAt": lambda: _moment(created),
            "CreatedBy": lambda: ellipsis(by, 45) if truncate else by,
            "Size": lambda: human_size(step["Size"], 3) if human else str(step["Size"]),
            "Comment": lambda: step["Comment"],
        },
        kind="*image.historyContext",
    )


def _moment(created: int) -> str:
    """Return a Unix time as RFC 3339 has it, in the local zone."""
    from time import localtime, strftime

    moment = localtime(created)
    zone = strftime("%z", moment)
    return strftime("%Y-%m-%dT%H:%M:%S", moment) + (f"{zone[:3]}:{zone[3:]}" if zone != "+0000" else "Z")
