"""Which mail addresses and headers may be told."""

from __future__ import annotations

import pytest

from catalog_service.subscriptions.targets import check_headers, check_mail
from schema.errors import BadParameterError, RefusedTargetError


def test_mailto_addresses_are_read() -> None:
    """mailto: holds 1 to 20 plain addresses, each read once, in order."""
    url = "mailto:net.ops+catalog@contoso.example,b@x.example,b@x.example"
    assert check_mail(url) == ("net.ops+catalog@contoso.example", "b@x.example")
    assert len(check_mail("mailto:" + ",".join(f"a{number}@x.example" for number in range(20)))) == 20


@pytest.mark.parametrize(
    "url",
    [
        "mailto:",
        "mailto:a@x.example,",
        "a@x.example",
        "https://x.example/",
        "mailto:a@x.example?cc=b@x.example",
        "mailto:a@x.example%0d%0aBcc:b@x.example",
        "mailto:a@x.example\r\nBcc: b@x.example",
        "mailto:a@x.example\n",
        "mailto:Ops <a@x.example>",
        'mailto:"a b"@x.example',
        "mailto:a@[127.0.0.1]",
        "mailto:a@127.0.0.1",
        "mailto:a@localhost",
        "mailto:a@b@x.example",
        "mailto:.a@x.example",
        "mailto:á@x.example",
        f"mailto:{'a' * 65}@x.example",
        "mailto:" + ",".join(f"a{number}@x.example" for number in range(21)),
        "mailto:" + ",".join(f"a{number}@{'b' * 60}.{'c' * 60}.example" for number in range(20)),
    ],
)
def test_other_mailto_forms_are_refused(url: str) -> None:
    """Queries, names, quotes, line ends, address literals and too many addresses are refused."""
    with pytest.raises(RefusedTargetError):
        check_mail(url)


@pytest.mark.parametrize(
    "header",
    [
        ("X-Team", "net\r\nHost: internal"),
        ("X-Team", "net\nX: y"),
        ("X-Team", "a\x00b"),
        ("X-Team", " s3cret"),
        ("X-Team", "s3crét"),
        ("X Team", "a"),
        ("X-Team:", "a"),
        ("X-Team\r\nHost", "a"),
        ("", "a"),
        ("Host", "internal"),
        ("Content-Length", "0"),
        ("transfer-encoding", "chunked"),
        ("Connection", "upgrade"),
        ("Proxy-Authorization", "Basic s3cret"),
    ],
)
def test_headers_that_change_the_message_are_refused(header: tuple[str, str]) -> None:
    """A header that could end early, be two, or say how the message is carried is refused, its value unsaid."""
    with pytest.raises(BadParameterError) as refused:
        check_headers((("Authorization", "Bearer abc"), header))
    assert refused.value.facts["parameter"] == "headers"
    assert "s3cr" not in str(refused.value)


def test_other_headers_are_taken() -> None:
    """Any other header in one line of printable ASCII is taken, an empty one too."""
    check_headers((("Authorization", "Bearer a.b-c="), ("X-Team", "net ops\t1"), ("x-empty", "")))
