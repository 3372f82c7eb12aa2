"""Tables on a terminal: names stay whole as long as there is room, and nothing is ever cut off."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

NAME, ID = "*.gateway.gov.island.powerapps.example", "a-page:" + "a-long-key-" * 12 + "end"
SCRIPT = f"""
from catalog_service.cli.output import print_table
print_table(("direction", "names", "id"), [("outbound", ("{NAME}", "b.example"), "{ID}")], stacked=True)
"""


def shown(columns: int) -> list[str]:
    """Return the lines of the table on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdin=theirs,
        stdout=theirs,
        env={**environment, "TERM": "xterm", "NO_COLOR": "1"},
    ) as process:
        os.close(theirs)
        text = b""
        while part := _read(ours):
            text += part
    os.close(ours)
    assert process.returncode == 0
    return text.decode().splitlines()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:  # Linux says so where others say that nothing is left
        return b""


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_names_stay_whole_and_the_last_column_is_folded(columns: int) -> None:
    """One name a line; the id is folded into what is left, and all of it is there."""
    header, first, second, *rest = shown(columns)
    assert header.split() == ["direction", "names", "id"]
    assert first.split()[:2] == ["outbound", NAME]
    assert "b.example" in second
    folded = (first.split()[2:], second.split()[1:], *(line.split() for line in rest))
    assert "".join(part for parts in folded for part in parts) == ID
    assert max(map(len, (header, first, second, *rest))) <= columns


def test_a_narrow_terminal_folds_everything_and_loses_nothing() -> None:
    """There is no room for the whole name: it is folded too."""
    lines = shown(40)
    assert max(map(len, lines)) <= 40
    letters = sorted("".join("".join(line.split()) for line in lines[1:]))
    assert letters == sorted("outbound" + NAME + "b.example" + ID)
