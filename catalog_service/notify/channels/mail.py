"""E-mail: a message as text and HTML, and the way to the mail server.

In: a `Message`, and to whom. Out: an `EmailMessage`; what the server answered. Called by the notifier. The server is
the operator's own (setting ``smtp_url``): it may stand in any network.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from functools import cache
from urllib.parse import unquote, urlsplit

import aiosmtplib
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from catalog_service.export.diffs.telling import cut
from catalog_service.notify.channels.text import as_text
from catalog_service.notify.channels.words import more_in_words, words_of
from catalog_service.views.events import Message
from schema.errors import DeliveryError

_MOST_SETS = 100
_MOST_MEMBERS = 40
_MOST_ANSWER = 1000
_QUIT_S = 1
_HERE = ("localhost", "127.0.0.1", "::1")


def mail(message: Message, to: tuple[str, ...], sender: str, id: str, at: datetime) -> EmailMessage:  # noqa: A002
    """Return ``message`` as e-mail.

    ``id`` is the delivery's: every attempt has the same Message-ID, by which receivers know it again. ``at`` is when
    it is sent, ``sender`` an address with or without a name.

    Raises:
        DeliveryError: ``sender`` or one of ``to`` is no address.
    """
    what = words_of(message, _MOST_SETS)
    mail = EmailMessage(policy=SMTP)
    try:
        domain = Address(addr_spec=parseaddr(sender)[1]).domain
        mail["From"] = sender
        mail["To"] = tuple(Address(addr_spec=address) for address in to)
    except (ValueError, IndexError, MessageError):  # what the standard library raises for one that is none
        raise DeliveryError("the sender or a receiver of the e-mail is no address") from None
    mail["Subject"] = what.title
    mail["Date"] = at
    mail["Message-ID"] = f"<{id}@{domain}>"
    mail["List-Id"] = f"Endpoint catalogue <endpoint-catalog.{domain}>"  # RFC 2919: mail programs sort by it
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    mail.set_content(as_text(what, _MOST_MEMBERS), cte="quoted-printable")
    html = _html().render(what=what, most=_MOST_MEMBERS, more=more_in_words(what.more_count))
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    return mail


@cache
def _html() -> Template:
    loader = PackageLoader("catalog_service.notify.channels")
    strict = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, lstrip_blocks=True, trim_blocks=True
    )
    return strict.get_template("mail.html")


class Mailer:
    """The mail server, with one connection a message.

    ``smtp_url`` is ``smtp://`` (STARTTLS where offered) or ``smtps://``, with user and password percent-encoded. A
    password leaves this machine through TLS alone. ``timeout_s`` is for all of a message.
    """

    def __init__(self, smtp_url: str, timeout_s: float = 15, tls: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(smtp_url)
        self._host, self._port, self._timeout_s, self._tls = parts.hostname or "", parts.port, timeout_s, tls
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._is_smtps = parts.scheme == "smtps"
        is_open = self._user is None or self._host in _HERE
        self._start_tls = False if self._is_smtps else None if is_open else True

    async def send(self, message: EmailMessage) -> str:
        """Hand ``message`` over and return what the server answered, and which receivers it refused if not all.

        Raises:
            DeliveryError: the server cannot be reached, or refused it; ``facts["status"]`` is its reply code, if any.
        """
        try:
            refused, answer = await self._handed_over(message)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise _delivery_error(error, self._timeout_s) from None
        refusals = (f"refused for {to}: {reply.code} {reply.message}" for to, reply in refused.items())
        return cut("; ".join((answer, *refusals)), _MOST_ANSWER)

    async def _handed_over(self, message: EmailMessage) -> tuple[dict[str, aiosmtplib.SMTPResponse], str]:
        client = self._client()
        try:
            async with asyncio.timeout(self._timeout_s):
                await client.connect()
                sent = await client.send_message(message)
            with suppress(aiosmtplib.SMTPException):  # it has the message: a farewell that fails is no failure
                await client.quit(timeout=_QUIT_S)
            return sent
        finally:
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            local_hostname=socket.gethostname(),  # by default it asks DNS for more of it
            use_tls=self._is_smtps,
            start_tls=self._start_tls,
            tls_context=self._tls,
            timeout=self._timeout_s,
        )


def _delivery_error(error: Exception, timeout_s: float) -> DeliveryError:
    """Return ``error`` in words; a reply to the login may repeat what it was given, so only its code is told."""
    match error:
        case aiosmtplib.SMTPAuthenticationError(code=code):
            return DeliveryError(f"the mail server refused the login: {code}", status=code)
        case aiosmtplib.SMTPRecipientsRefused(recipients=[first, *_]):
            return _refused(first.code, first.message)
        case aiosmtplib.SMTPResponseException(code=code, message=message):
            return _refused(code, message)
        case TimeoutError():
            return DeliveryError(f"the mail server took longer than {timeout_s:g} s")
        case aiosmtplib.SMTPException(message=message):  # the library's own words
            return DeliveryError(f"the mail server: {cut(message, _MOST_ANSWER)}")
    return DeliveryError(f"the mail server cannot be reached: {type(error).__name__}")


def _refused(code: int, message: str) -> DeliveryError:
    return DeliveryError(f"the mail server refused it: {code} {cut(message, _MOST_ANSWER)}", status=code)
