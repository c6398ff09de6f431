"""``python -m tests.vm [command …]``: run the tests, or another command, on the test machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.vm import machine, suite


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.vm", description=__doc__)
    parser.add_argument("--timeout", type=float, default=240, help="seconds")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if lacking := machine.missing():
        print(f"cannot run the test machine: {lacking}", file=sys.stderr)
        return 2
    try:
        command = arguments.command or suite.command()
        return machine.run(command, cwd=Path.cwd(), timeout=arguments.timeout)
    except machine.MachineFailure as failure:
        print(failure, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
