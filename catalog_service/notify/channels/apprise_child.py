"""The process in which apprise sends: ``python -m catalog_service.notify.channels.apprise_child``.

In: an `Errand` on stdin. Out: an `Outcome` on stdout, one line. Started by `apprise` for each message; the only module
that imports apprise. It confines itself before it reads the address.
"""

from __future__ import annotations

import logging
import re
import sys
from contextlib import redirect_stdout

import apprise
import msgspec
from apprise.common import PersistentStoreMode
from apprise.manager_plugins import NotificationManager
from apprise.plugins.base import NotifyBase

from catalog_service.notify.channels.confinement import confine
from catalog_service.notify.channels.errand import Errand, Outcome
from catalog_service.subscriptions.targets import Policy

_STATUS = re.compile(r"\berror=([1-5][0-9]{2})\b")
"""How apprise's plugins log an HTTP status."""


def main() -> None:
    """Do the errand on stdin."""
    errand = msgspec.json.decode(sys.stdin.buffer.read(), type=Errand)
    # Here, because what plugins import is not what the address asks for.
    NotificationManager().load_modules()  # type: ignore[no-untyped-call]
    refusals = confine(errand.policy)
    with redirect_stdout(sys.stderr):
        outcome = _done(errand, refusals)
    sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")
    sys.stdout.flush()


def _done(errand: Errand, refusals: list[str]) -> Outcome:
    log = _Log()
    logging.getLogger("apprise").addHandler(log)
    asset = apprise.AppriseAsset(
        http_redirects=False,
        async_mode=False,
        storage_mode=PersistentStoreMode.MEMORY,
        service_timeout=errand.timeout_s,
        allow_templates=False,
        pgp_autogen=False,
        pem_autogen=False,
    )
    service = apprise.Apprise.instantiate(errand.url, asset=asset)
    if not isinstance(service, NotifyBase):
        return Outcome(f"refused: {refusals[0]}" if refusals else "apprise knows no such service, or more is needed")
    if why := _refusal(service, errand.policy):
        return Outcome(f"refused: {why}")
    service.redirects = False  # whatever the address asks for
    everything = apprise.Apprise(asset=asset)
    everything.add(service)
    if everything.notify(body=errand.body, title=errand.title, body_format=apprise.NotifyFormat.TEXT.value):
        return Outcome()
    if refusals and log.status is None:
        return Outcome(f"refused: {refusals[0]}")
    what = f"HTTP {log.status}" if log.status else "apprise says no more"
    return Outcome(f"the service did not take it: {what}", log.status)


def _refusal(service: NotifyBase, policy: Policy) -> str | None:
    """Return why ``service`` may not be told, before anything is sent."""
    if (
        "{schema}://" in service.templates
    ):  # it needs neither host nor account: the desktop, syslog or USB of this machine
        return "it is this machine, not a service"
    secure = service.secure_protocol or ()
    if not policy.http and service.schema not in ((secure,) if isinstance(secure, str) else secure):
        return "it would be sent without TLS"
    return None


class _Log(logging.Handler):
    """Keeps the last HTTP status that apprise logs, and none of its words: an address may be among them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.status: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if found := _STATUS.search(record.getMessage()):
            self.status = int(found[1])


if __name__ == "__main__":
    main()
