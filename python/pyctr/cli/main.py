"""From the command line to an exit code: finds the command, runs it and puts errors into words."""

from __future__ import annotations

import sys

from pyctr.cli.command import Command, Option
from pyctr.cli.context import LEVELS, Context, Refused, UnusableOptions, printable
from pyctr.cli.parser import HelpRequested, UsageError, check_arguments, parse
from pyctr.cli.registry import GROUPS, TOP, load
from pyctr.cli.values import BOOL, STRING
from pyctr.errors import PyctrError, StartFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyctr.cli.command import Parsed

BROKEN_PIPE = 141
INTERRUPTED = 130


def _no_command(_context: Context, _parsed: Parsed) -> int:
    raise HelpRequested


ROOT = Command(
    "",
    "[OPTIONS] COMMAND",
    "A container engine that needs no daemon",
    run=_no_command,
    options=(
        Option("debug", "D", BOOL, "Enable debug mode: show where an unexpected error comes from"),
        Option(
            "log-level",
            "l",
            STRING,
            'Set the logging level ("debug", "info", "warn", "error", "fatal")',
            default="info",
            complete="log_levels",
        ),
        Option(
            "root",
            "",
            STRING,
            'Where images, containers and volumes are kept (default "/var/lib/pyctr")',
            env="PYCTR_ROOT",
            complete="files",
        ),
        Option(
            "run-root",
            "",
            STRING,
            'Where the state of running containers is kept (default "/run/pyctr")',
            env="PYCTR_RUN_ROOT",
            complete="files",
        ),
        Option(
            "storage-driver",
            "",
            STRING,
            'Storage driver of the store ("overlay2", "vfs"); empty: the one in use, or the first that works',
            default="",
            complete="storage_drivers",
        ),
        Option("version", "v", BOOL, "Print version information and quit"),
    ),
    interspersed=False,
)
"""The options before the command."""


class Unknown(UsageError):
    """No command has this name."""


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:  # noqa: PLR0911 - one per way to end
    """Run one command line and return its exit code. Never raises."""
    invocation = Invocation(environ)
    try:
        return invocation.run(argv)
    except HelpRequested:
        return invocation.help()
    except Unknown as problem:
        _say(problem.message)
        return problem.exit_code
    except UsageError as problem:
        _say(f"{problem.message}\n\n{invocation.usage()}\n\n{invocation.hint()}")
        return problem.exit_code
    except PyctrError as problem:
        return invocation.failed(problem)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return BROKEN_PIPE
    except Exception as problem:
        return invocation.unexpected(problem)


class Invocation:
    """One command line on its way: what is known of it so far is what errors and help can tell."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.words: list[str] = []
        self.command: Command = ROOT
        self.context: Context | None = None
        self.debug = False

    @property
    def name(self) -> str:
        """The command as it was typed."""
        return " ".join(("pyctr", *self.words))

    def run(self, argv: Sequence[str]) -> int:
        rest = self.globals(argv)
        if rest is None:
            return 0
        self.find(rest)
        rest = rest[len(self.words) :]
        parsed = parse(self.command, rest, self.environ)
        check_arguments(self.command, parsed.arguments, self.name)
        assert self.context is not None
        self.context.name = self.name
        code = self.command.run(self.context, parsed) or 0
        self.context.flush()
        return code

    def globals(self, argv: Sequence[str]) -> Sequence[str] | None:
        """Read the options before the command; return the rest, or None when there is nothing left to do."""
        parsed = parse(ROOT, argv, self.environ)
        self.debug = parsed["debug"]
        level = "debug" if self.debug else parsed["log-level"]
        if level not in LEVELS:
            raise UsageError(f"unable to parse logging level: {level}", exit_code=1)
        self.context = Context(
            parsed["root"],
            parsed["run-root"],
            level,
            self.environ,
            storage_driver=parsed["storage-driver"],
        )
        if parsed["version"]:
            self.context.print(version_line())
            self.context.flush()
            return None
        return parsed.arguments

    def find(self, words: Sequence[str]) -> None:
        """Find the command the first words name."""
        if not words:
            raise HelpRequested
        first = words[0]
        if first in TOP:
            self.words = [first]
            self.command = load(TOP[first])
        elif first in GROUPS:
            self.words = [first]
            self.find_in_group(first, words[1:])
        else:
            raise Unknown(f"pyctr: '{first}' is not a pyctr command. See 'pyctr --help'", exit_code=1)

    def find_in_group(self, group: str, words: Sequence[str]) -> None:
        module = GROUPS[group][1].get(words[0]) if words else None
        if module is not None:
            self.words = [group, words[0]]
            self.command = load(module)
        elif not words or words[0] in ("--help", "-h"):
            raise HelpRequested
        elif words[0].startswith("-"):
            raise UsageError(f"unknown flag: {words[0]}")
        else:
            message = f"pyctr: '{group} {words[0]}' is not a pyctr command. See 'pyctr {group} --help'"
            raise Unknown(message, exit_code=1)

    # What to say

    def usage(self) -> str:
        """Return the usage line, for error texts."""
        usage = self.command.usage if self.command is not ROOT else "[OPTIONS] COMMAND [ARG...]"
        usage = "COMMAND" if self.words and self.command is ROOT else usage
        lines = usage.replace("\n", f"\n\t{self.name} ")
        return f"Usage:  {self.name} {lines}"

    def hint(self) -> str:
        """Return where to find more."""
        return f"Run '{self.name} --help' for more information"

    def help(self) -> int:
        """Print the help of what was typed so far; without a command that goes to standard output too."""
        from pyctr.cli.help import help_text

        group = self.words[0] if self.words and self.command is ROOT else ""
        sys.stdout.write(help_text(self.words, self.command, group))
        return 0

    def failed(self, problem: PyctrError) -> int:
        """Report what the engine refused, and return docker's exit code for it."""
        line = problem.message.replace("\n", "\\n")  # of a name that somebody chose
        _say(f"pyctr: {line}")
        if problem.hint:
            _say(problem.hint)
        if isinstance(problem, Refused):
            return 1
        if isinstance(problem, UnusableOptions) or self.command.words == "run":
            _say(f"\n{self.hint()}")
            return problem.exit_code
        started = self.command.words == "exec" and isinstance(problem, StartFailure)
        return problem.exit_code if started else 1

    def unexpected(self, problem: Exception) -> int:
        """Report an error nobody foresaw, in one line, or in full with ``--debug``."""
        if self.debug:
            import traceback

            traceback.print_exc()
        else:
            said = f"{type(problem).__name__}: {problem}".replace("\n", " ")
            _say(f"pyctr: unexpected {said}\nTry pyctr --debug to see where it comes from")
        return 125 if self.command.words in ("run", "create") else 1


def version_line() -> str:
    """Return what ``pyctr --version`` prints."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"pyctr version {version('pyctr-engine')}"
    except PackageNotFoundError:
        return "pyctr version unknown (not installed)"


def _say(text: str) -> None:
    try:  # noqa: SIM105 - contextlib is not worth its import
        sys.stdout.flush()
    except OSError:  # a reader that left must not hide the message
        pass
    sys.stderr.write(f"{printable(text)}\n")
