"""Any other service, by its apprise address: `apprise_child` sends, in a process of its own.

In: a subscription's address and a `Message`. Out: nothing, or a DeliveryError. Called by the notifier. apprise opens
connections by itself, which the guard of ours cannot see: the child refuses them at its own sockets. The optional extra
``apprise`` is needed.
"""

from __future__ import annotations

import asyncio
import os
import sys
from importlib.util import find_spec

import msgspec

from catalog_service.notify.channels.errand import Errand, Outcome
from catalog_service.notify.channels.text import as_text
from catalog_service.notify.channels.words import words_of
from catalog_service.subscriptions.targets import Policy
from catalog_service.views.events import Message
from schema.errors import DeliveryError

_MOST_SETS = 20
_MOST_AT_ONCE = 4
_CHILD = "catalog_service.notify.channels.apprise_child"
_KEPT = (
    *("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "LC_ALL", "TZ"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
)
"""What the child gets of our environment: no settings, whose secrets are none of its business, and no proxy."""
_NOTHING_OF_HOME = {"NO_PROXY": "*", "NETRC": os.devnull}
"""Neither the system's proxy nor a person's passwords."""


def apprise_installed() -> bool:
    """Return whether the extra is there."""
    return find_spec("apprise") is not None


class Apprise:
    """The way to everything that apprise knows, within ``policy``."""

    def __init__(self, policy: Policy, timeout_s: float = 15) -> None:
        self._policy, self._timeout_s = policy, timeout_s
        self._places = asyncio.Semaphore(_MOST_AT_ONCE)

    async def send(self, url: str, message: Message) -> None:
        """Send ``message`` to ``url``, in a child process that is killed when it takes longer than the timeout.

        Raises:
            DeliveryError: it was refused, by the policy or by the service; ``facts["status"]`` is the service's HTTP
                status where apprise tells it. Nothing of ``url`` is in it.
            TimeoutError: others took all the time there is: nothing was sent, and the claim on it may end soon.
        """
        what = words_of(message, _MOST_SETS)
        errand = Errand(url, what.title, as_text(what, 0), self._policy, self._timeout_s)
        async with asyncio.timeout(self._timeout_s):
            await self._places.acquire()
        try:
            outcome = await self._run(msgspec.json.encode(errand))
        finally:
            self._places.release()
        if outcome.error:
            raise DeliveryError(outcome.error, status=outcome.status)

    async def _run(self, errand: bytes) -> Outcome:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-B", "-m", _CHILD),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: os.environ[name] for name in _KEPT if name in os.environ} | _NOTHING_OF_HOME,
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                return await _answer(child, errand)
        except TimeoutError:
            return Outcome(f"it took longer than {self._timeout_s:g} s")
        finally:
            if child.returncode is None:
                child.kill()
            await child.wait()


async def _answer(child: asyncio.subprocess.Process, errand: bytes) -> Outcome:
    """Return what ``child`` has to say: one line, no longer than a stream's limit."""
    assert child.stdin
    assert child.stdout
    try:
        child.stdin.write(errand)
        await child.stdin.drain()
        child.stdin.close()
        return msgspec.json.decode(await child.stdout.readline(), type=Outcome)
    except (OSError, ValueError):  # it went away, or said something else
        return Outcome("apprise failed")
