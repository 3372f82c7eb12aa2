"""A process that serves ends when it is asked to, whatever its threads are in the middle of."""

from __future__ import annotations

import subprocess
import sys

# As a role whose parser hangs in a thread, where nothing can be cancelled.
_HANGS = """
import asyncio, threading
from catalog_service.cli.command import run_async
for_ever = threading.Event()
async def role():
    print("up", flush=True)
    await asyncio.to_thread(for_ever.wait)
run_async(role(), serving=True)
"""
_WAIT_S = 30.0


def test_a_thread_that_never_ends() -> None:
    """It holds up nothing: the process exits with 0."""
    with subprocess.Popen([sys.executable, "-c", _HANGS], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.terminate()
        try:
            assert process.wait(_WAIT_S) == 0
        finally:
            process.kill()
