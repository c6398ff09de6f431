"""``pyctr stats``."""

from __future__ import annotations

from pyctr.cli.command import Command, Option, Parsed
from pyctr.cli.output.listing import FORMAT_HELP
from pyctr.cli.values import BOOL, STRING
from pyctr.errors import PyctrError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event, Thread
    from typing import Any

    from pyctr.cli.context import Context

_SECONDS = 1.0
_CLEAR_LINE, _HOME, _CLEAR_BELOW = "\033[K", "\033[H", "\033[J"


def run(context: Context, parsed: Parsed) -> None:
    names = list(parsed.arguments)
    for name in names:
        context.engine.containers.inspect(name)  # one that is not there is an error, not an empty line
    if parsed["no-stream"]:
        _once(context, parsed, names)
    else:
        _stream(context, parsed, names)


def _once(context: Context, parsed: Parsed, names: list[str]) -> None:
    """Take one reading of each container, all at the same time: each takes a second."""
    board = _Board(context, stream=False)
    for name in names or _running(context, parsed):
        board.watch(name)
    board.join()
    context.write(_table(parsed, board))


def _stream(context: Context, parsed: Parsed, names: list[str]) -> None:
    """Show the latest readings once a second; without names, of whatever runs by then."""
    board = _Board(context, stream=True)
    try:
        while True:
            wanted = names or _running(context, parsed)
            for name in wanted:
                board.watch(name)
            board.keep(wanted)
            lines = _table(parsed, board).replace("\n", f"{_CLEAR_LINE}\n")
            context.write(f"{_HOME}{lines}{_CLEAR_BELOW}")
            context.flush()
            if names and not board.alive():
                return
            board.pause(_SECONDS)
    finally:
        board.stop.set()


def _running(context: Context, parsed: Parsed) -> list[str]:
    summaries = context.engine.containers.list(all=parsed["all"])
    return [summary["Id"][:12] for summary in summaries]


def _table(parsed: Parsed, board: _Board) -> str:
    from pyctr.cli.output.listing import render
    from pyctr.cli.output.stats import STATS_HEADERS, STATS_TABLE, stats_record

    truncate = not parsed["no-trunc"]
    source = STATS_TABLE if parsed["format"] in ("", "table") else parsed["format"]
    records = [stats_record(name, stats, truncate=truncate) for name, stats in board.latest.items()]
    return render(source, records, STATS_HEADERS)


class _Board:
    """The latest reading of each watched container, kept up to date by a thread each."""

    def __init__(self, context: Context, *, stream: bool) -> None:
        import threading

        self.context = context
        self.stream = stream
        self.latest: dict[str, dict[str, Any] | None] = {}
        self.threads: dict[str, Thread] = {}
        self.stop: Event = threading.Event()

    def watch(self, name: str) -> None:
        """Begin to read a container's numbers, unless that was begun before."""
        if name in self.threads:
            return
        import threading

        self.latest[name] = None
        self.threads[name] = threading.Thread(target=self._read, args=(name,), daemon=True)
        self.threads[name].start()

    def _read(self, name: str) -> None:
        try:
            for stats in self.context.engine.containers.stats(name, stream=self.stream):
                if self.stop.is_set():
                    return
                self.latest[name] = stats
        except PyctrError:  # gone meanwhile: its line says that nothing is known
            self.latest[name] = None

    def keep(self, names: list[str]) -> None:
        """Forget the containers that are not among ``names``."""
        for name in set(self.latest) - set(names):
            self.latest.pop(name, None)
            self.threads.pop(name, None)

    def alive(self) -> bool:
        return any(thread.is_alive() for thread in self.threads.values())

    def pause(self, seconds: float) -> None:
        self.stop.wait(seconds)

    def join(self) -> None:
        for thread in self.threads.values():
            thread.join()


COMMAND = Command(
    "stats",
    "[OPTIONS] [CONTAINER...]",
    "Display a live stream of container(s) resource usage statistics",
    run=run,
    options=(
        Option("all", "a", BOOL, "Show all containers (default shows just running)"),
        Option("format", "", STRING, FORMAT_HELP, default=""),
        Option("no-stream", "", BOOL, "Disable streaming stats and only pull the first result"),
        Option("no-trunc", "", BOOL, "Do not truncate output"),
    ),
    aliases=("container stats",),
    complete="running",
)
