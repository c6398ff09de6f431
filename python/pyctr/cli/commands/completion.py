"""``pyctr completion``."""

from __future__ import annotations

from pyctr.cli.command import Command, Parsed
from pyctr.errors import InvalidParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyctr.cli.context import Context


def run(context: Context, parsed: Parsed) -> None:
    from pyctr.cli.completion import SHELLS, script

    shell = parsed.arguments[0]
    if shell not in SHELLS:
        choices = '", "'.join(SHELLS)
        raise InvalidParameter(f'unknown shell: {shell}: must be one of "{choices}"')
    context.print(script(shell))


COMMAND = Command(
    "completion",
    "bash|fish|zsh",
    "Generate the autocompletion script for the specified shell",
    run=run,
    least=1,
    most=1,
    complete="shells",
)
