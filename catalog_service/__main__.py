"""``python -m catalog_service``, and the console script."""

from __future__ import annotations

import sys

from catalog_service.cli.app import main as run_program


def main() -> None:
    """Run the program and exit with its code."""
    sys.exit(run_program())


if __name__ == "__main__":
    main()
