"""``python -m pyctr`` is ``pyctr``."""

from pyctr.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
