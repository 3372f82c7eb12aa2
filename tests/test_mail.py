"""E-mail: what is written, that no text becomes a header or markup, and the conversation with the mail server."""

from __future__ import annotations

import base64
import email
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given

from catalog_service.notify.channels.mail import Mailer, mail
from catalog_service.views.events import Message
from schema.errors import DeliveryError
from tests.certificates import certified
from tests.messages import AT, PAGE, committed, entry, messages, ping
from tests.smtp_server import smtp_server

TO = ("net@ops.example", "fw@ops.example")
TAGS = frozenset(
    ["html", "head", "meta", "title", "body", "div", "h1", "h2", "p", "a", "span", "strong", "table", "tr", "td"]
)
SENDER = "Endpoints <catalog@ops.example>"


def written(message: Message) -> EmailMessage:
    return mail(message, TO, SENDER, "msg_1", AT)


def received(message: Message) -> EmailMessage:
    """What a receiver reads: written, sent as bytes and read again."""
    read = email.message_from_bytes(written(message).as_bytes(), policy=SMTP)
    assert isinstance(read, EmailMessage)
    return read


def half(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part
    return str(part.get_content()).replace("\r\n", "\n")


class Page(HTMLParser):
    """The tags, links and words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_headers() -> None:
    """The headers say what it is, keep out-of-office answers away, and are the same at every attempt but for the date."""
    headers = {name: str(value) for name, value in received(committed(entry())).items()}
    assert {name: headers[name] for name in headers if not name.startswith(("Content", "MIME"))} == {
        "From": SENDER,
        "To": ", ".join(TO),
        "Subject": "Endpoint catalogue: version 42, a-source",
        "Date": "Mon, 23 Nov 2026 10:30:00 +0000",
        "Message-ID": "<msg_1@ops.example>",
        "List-Id": "Endpoint catalogue <endpoint-catalog.ops.example>",
        "Auto-Submitted": "auto-generated",
    }


def test_text() -> None:
    """The text half has the sentence, each endpoint set with its members, and the page."""
    assert half(received(committed(entry(), entry("Sql", fqdns_added=("*.sql.example",)))), "plain").split("\n") == [
        "Storage gained addresses",
        "",
        "a-source: Storage (2 endpoint sets changed; +2 -4 prefixes, +1 -0 fqdns)",
        "* Sql: changed, +1 -2 prefixes, +1 -0 fqdns; AddedIp",
        "    purpose: Relay → absent",
        "    - 20.50.0.0/16",
        "    - 2603:1000::/32",
        "    + 20.60.0.0/16",
        "    + *.sql.example",
        "* Storage.WestUS: changed, +1 -2 prefixes; AddedIp",
        "    purpose: Relay → absent",
        "    - 20.50.0.0/16",
        "    - 2603:1000::/32",
        "    + 20.60.0.0/16",
        "",
        PAGE,
        "",
    ]


def test_html() -> None:
    """The HTML half shows the same, links to the page and loads nothing."""
    page = Page(half(received(committed(entry())), "html"))
    for words in (
        "Storage gained addresses",
        "a-source: Storage",
        "changed, +1 -2 prefixes; AddedIp",
        "+\xa020.60.0.0/16",
    ):
        assert words in page.words
    assert page.links == [PAGE]


def test_long_lists() -> None:
    """Forty members of a side and a hundred endpoint sets are shown, then how many more the page has."""
    many = tuple(f"20.0.{number}.0/24" for number in range(100))
    message = received(committed(*(entry(f"set-{number:03}", prefixes_added=many) for number in range(110))))
    text, page = half(message, "plain"), Page(half(message, "html"))
    assert text.count("    + 20.0.") == 40 * 100
    assert text.count("    + and 60 more") == 100
    assert "and 10 more endpoint sets" in text
    assert page.words.count("and 60 more") == 100
    assert page.links.count(PAGE) == 102
    assert "and 10 more endpoint sets" in page.words


def test_challenge() -> None:
    """A challenge by mail says what a person runs to confirm the subscription."""
    command = "catalog-service subscription verify sub_0123456789abcdef c0de"
    message = received(ping("c0de"))
    assert command in half(message, "plain")
    assert command in Page(half(message, "html")).words


@given(messages)
def test_hostile_text(message: Message) -> None:
    """Whatever upstream writes, there is no header, no tag, no link and no control character that we did not write."""
    read = received(message)
    assert read.keys() == received(ping()).keys()
    assert str(read["Subject"]).isprintable()
    assert read["To"] == ", ".join(TO)
    page = Page(half(read, "html"))
    assert set(page.tags) <= TAGS
    assert set(page.links) <= {PAGE}
    assert all(letter.isprintable() or letter in "\n\xa0" for letter in page.words)


@pytest.mark.parametrize("to", ["a@b\r\nBcc: c@d", "nobody", "a@b, c@d", "", "@", "<a@b>", "a@"])
def test_no_address(to: str) -> None:
    """What is no address, or more than one, is refused: it cannot become another receiver."""
    with pytest.raises(DeliveryError, match="no address"):
        mail(ping(), (to,), SENDER, "msg_1", AT)


@pytest.mark.parametrize("sender", ["", "Endpoints", "Endpoints\r\nBcc: c@d <a@b>", "a@"])
def test_no_sender(sender: str) -> None:
    """A sender without an address is refused before anything is sent."""
    with pytest.raises(DeliveryError, match="no address"):
        mail(ping(), TO, sender, "msg_1", AT)


async def test_conversation() -> None:
    """The server gets sender, receivers and the message once, and its answer is told; no login is tried without a user."""
    async with smtp_server() as server:
        answer = await Mailer(f"smtp://127.0.0.1:{server.port}").send(written(committed(entry())))
    assert answer == "queued as 4711"
    assert [command.partition(" ")[0] for command in server.commands] == [
        "EHLO",
        "MAIL",
        "RCPT",
        "RCPT",
        "DATA",
        "QUIT",
    ]
    assert server.commands[1].startswith("MAIL FROM:<catalog@ops.example>")
    assert server.commands[2:4] == ["RCPT TO:<net@ops.example>", "RCPT TO:<fw@ops.example>"]
    assert b"Message-ID: <msg_1@ops.example>\r\n" in server.mails[0]


async def test_login() -> None:
    """User and password are percent-decoded; on this machine they need no TLS."""
    async with smtp_server() as server:
        await Mailer(f"smtp://us%40er:p%2Fw%3A@127.0.0.1:{server.port}").send(written(ping()))
    assert base64.b64decode(server.commands[1].removeprefix("AUTH PLAIN ")) == b"\0us@er\0p/w:"


async def test_starttls(tmp_path: Path) -> None:
    """STARTTLS is used where it is offered, before the login."""
    server_tls, trusting = certified(tmp_path)
    async with smtp_server(starttls=server_tls) as server:
        await Mailer(f"smtp://user:pw@127.0.0.1:{server.port}", tls=trusting).send(written(ping()))
    verbs = [command.partition(" ")[0] for command in server.commands]
    assert verbs[:4] == ["EHLO", "STARTTLS", "EHLO", "AUTH"]


async def test_smtps(tmp_path: Path) -> None:
    """With smtps there is TLS from the first byte."""
    server_tls, trusting = certified(tmp_path)
    async with smtp_server(smtps=server_tls) as server:
        assert await Mailer(f"smtps://127.0.0.1:{server.port}", tls=trusting).send(written(ping())) == "queued as 4711"


async def test_untrusted_tls(tmp_path: Path) -> None:
    """A certificate that is not trusted is refused: nothing is sent."""
    server_tls, _ = certified(tmp_path)
    async with smtp_server(smtps=server_tls) as server:
        with pytest.raises(DeliveryError, match="certificate verify failed"):
            await Mailer(f"smtps://127.0.0.1:{server.port}").send(written(ping()))
    assert server.commands == []


async def test_no_password_without_tls() -> None:
    """A password goes to another machine through TLS alone; a server that offers none is told so."""
    async with smtp_server() as server:
        with pytest.raises(DeliveryError, match="STARTTLS") as caught:
            # 127.1 is this machine too, but no name of it that the mailer knows.
            await Mailer(f"smtp://user:s3cret@127.1:{server.port}").send(written(ping()))
    assert not any(command.startswith("AUTH") for command in server.commands)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("answers", "status", "words"),
    [
        ({"MAIL": "451 4.3.0 try later"}, 451, "451 4.3.0 try later"),
        ({"DATA": "554 5.7.1 no such mail"}, 554, "554 5.7.1 no such mail"),
        ({".": "552 5.3.4 too big"}, 552, "552 5.3.4 too big"),
        ({"RCPT": "550 5.1.1 nobody here"}, 550, "550 5.1.1 nobody here"),
        ({"AUTH": "535 5.7.8 dXNlcjpzM2NyZXQ= s3cret"}, 535, "refused the login: 535"),
        ({"EHLO": "421 going down", "HELO": "421 going down"}, 421, "421 going down"),
    ],
)
async def test_refused(answers: dict[str, str], status: int, words: str) -> None:
    """What the server refuses is an error with its reply, whether it is for now or for good; a login's has its code alone."""
    async with smtp_server(answers) as server:
        with pytest.raises(DeliveryError) as caught:
            await Mailer(f"smtp://user:s3cret@127.0.0.1:{server.port}").send(written(ping()))
    assert words in str(caught.value)
    assert caught.value.facts["status"] == status
    assert "s3cret" not in str(caught.value)
    assert "dXNl" not in str(caught.value)


async def test_one_receiver_refused() -> None:
    """Where one of several receivers is refused, the others have it: the answer says who has not."""
    async with smtp_server({"RCPT TO:<fw@": "550 no such user"}) as server:
        answer = await Mailer(f"smtp://127.0.0.1:{server.port}").send(written(ping()))
    assert answer == "queued as 4711; refused for fw@ops.example: 550 no such user"
    assert len(server.mails) == 1


@pytest.mark.parametrize("silent_at", ["EHLO", "MAIL", "DATA", "."])
async def test_hanging_server(silent_at: str) -> None:
    """A server that falls silent is given up after the timeout."""
    async with smtp_server({silent_at: ""}) as server:
        with pytest.raises(DeliveryError, match=r"took longer than 0\.3 s"):
            await Mailer(f"smtp://127.0.0.1:{server.port}", timeout_s=0.3).send(written(ping()))


async def test_silent_farewell() -> None:
    """A server that has taken the message and then fails is no failure: it would be sent twice."""
    async with smtp_server({"QUIT": "500 what"}) as server:
        assert await Mailer(f"smtp://127.0.0.1:{server.port}").send(written(ping())) == "queued as 4711"


async def test_nobody_listens() -> None:
    """A server that is not there is an error without the password."""
    async with smtp_server() as server:
        port = server.port
    with pytest.raises(DeliveryError, match="mail server") as caught:
        await Mailer(f"smtp://user:s3cret@127.0.0.1:{port}").send(written(ping()))
    assert "s3cret" not in str(caught.value)
