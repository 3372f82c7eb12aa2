"""Which addresses may be told: forms of URLs, kinds of IP addresses."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog_service.subscriptions.targets import Policy, check_url, refusal
from schema.errors import RefusedTargetError

DEFAULT = Policy()
OPEN = Policy(http=True, ports=(443, 9000), networks=("10.1.0.0/16", "127.0.0.0/8", "fd00:1::/32"))

REFUSED_URLS = (
    # schemes
    "http://hooks.contoso.example/",
    "ftp://hooks.contoso.example/",
    "file:///etc/passwd",
    "gopher://hooks.contoso.example:443/_x",
    "//hooks.contoso.example/",
    "hooks.contoso.example",
    "",
    # loopback, unspecified and private addresses, in every IPv4 form a C library reads
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0X7F.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.01/",
    "https://127.0.0.1./",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.0.0.5/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://8.8.8.8.8/",
    "https://256.1.1.1/",
    # IPv6 forms
    "https://[::]/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::FFFF:8.8.8.8]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:53aa:64c::1]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[2606:4700::1111%25eth0]/",
    "https://[fec0::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[ff02::1]/",
    "https://::1/",
    "https://[::1/",
    "https://[hooks.contoso.example]/",
    "https://[127.0.0.1]/",
    "https://[]/",
    # names of the machine itself
    "https://localhost/",
    "https://LOCALHOST./",
    "https://redis.localhost/",
    # hosts that parsers disagree about
    "https://%31%32%37.0.0.1/",
    "https://１２７.0.0.1/",
    "https://①②⑦.0.0.1/",
    "https://münchen.example/",
    "https://hooks。contoso.example/",
    "https://hooks..contoso.example/",
    "https://-hooks.contoso.example/",
    "https://hooks contoso.example/",
    "https://hooks.contoso.example\\@127.0.0.1/",
    "https://hooks.contoso.example,10.0.0.1/",
    "https:///path",
    "https:/hooks.contoso.example/",
    "https:hooks.contoso.example",
    f"https://{'a' * 64}.example/",
    f"https://{'a.' * 127}example/",
    # user-info and fragments
    "https://user@hooks.contoso.example/",
    "https://user:pass@hooks.contoso.example/",
    "https://hooks.contoso.example@127.0.0.1/",
    "https://@hooks.contoso.example/",
    "https://hooks.contoso.example#@127.0.0.1/",
    "https://hooks.contoso.example/#",
    # ports: our own, Redis, mail, and what is none
    "https://hooks.contoso.example:8000/",
    "https://hooks.contoso.example:6379/",
    "https://hooks.contoso.example:25/",
    "https://hooks.contoso.example:80/",
    "https://hooks.contoso.example:0/",
    "https://hooks.contoso.example:65979/",
    "https://hooks.contoso.example:/",
    "https://hooks.contoso.example:443:443/",
    "https://hooks.contoso.example:+443/",
    # characters and length
    "https://hooks.contoso.example/\r\nHost: x",
    "https://hooks.contoso.example/a b",
    "https://hooks.contoso.example/\x7f",
    " https://hooks.contoso.example/",
    "https://hooks.contoso.example/\n",
    "https://hooks.contoso.example/" + "a" * 1_971,
)


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_a_bad_form_is_refused(url: str) -> None:
    """An address of any of these forms is refused as the parameter url."""
    with pytest.raises(RefusedTargetError) as refused:
        check_url(url, DEFAULT)
    assert refused.value.facts["parameter"] == "url"


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("https://hooks.contoso.example/a%2Fb?sig=%2Bx", "https://hooks.contoso.example/a%2Fb?sig=%2Bx"),
        ("HTTPS://Hooks.Contoso.Example:8443/Path", "https://hooks.contoso.example:8443/Path"),
        ("https://hooks.contoso.example", "https://hooks.contoso.example/"),
        ("https://hooks.contoso.example?a=1@2:3", "https://hooks.contoso.example/?a=1@2:3"),
        ("https://xn--mnchen-3ya.example/", "https://xn--mnchen-3ya.example/"),
        ("https://my_team.contoso.example./", "https://my_team.contoso.example./"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://[2606:4700::1111]:443/", "https://[2606:4700::1111]:443/"),
        ("https://hooks.contoso.example/" + "a" * 1_970, "https://hooks.contoso.example/" + "a" * 1_970),
    ],
)
def test_a_public_https_address_is_taken(url: str, checked: str) -> None:
    """A public https address is taken: scheme and host in lower case, path and query untouched."""
    assert check_url(url, DEFAULT) == checked
    assert check_url(checked, DEFAULT) == checked


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.contoso.example/",
        "http://hooks.contoso.example:80/",
        "http://hooks.contoso.example:9000/",
        "https://10.1.2.3:9000/",
        "https://[::ffff:10.1.2.3]/",
        "https://[fd00:1::5]/",
        "http://localhost/",
    ],
)
def test_the_operator_widens_the_policy(url: str) -> None:
    """Http, ports and networks that the operator named are taken, and not without."""
    assert check_url(url, OPEN) == url
    with pytest.raises(RefusedTargetError):
        check_url(url, DEFAULT)


@pytest.mark.parametrize("url", ["https://10.2.0.1/", "https://[::ffff:10.2.0.1]/", "https://hooks.example:8443/"])
def test_a_wider_policy_is_no_wider_than_said(url: str) -> None:
    """What lies beyond the networks and ports that the operator named stays refused."""
    with pytest.raises(RefusedTargetError):
        check_url(url, OPEN)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://a.example/", "an https address is needed"),
        ("https://u@a.example/", "user name or password"),
        ("https://a.example/#b", "fragment"),
        ("https://a.example:6379/", "the port of a.example:6379 may not be told, only 443, 8443"),
        ("https://0x7f.1/", "0x7f.1 may not be told: it is no IP address"),
        ("https://[::ffff:127.0.0.1]/", "it is an IPv4-mapped address"),
        ("https://münchen.example/", "xn--"),
    ],
)
def test_a_refusal_says_what_to_mend(url: str, why: str) -> None:
    """Why an address is refused is named."""
    with pytest.raises(RefusedTargetError) as refused:
        check_url(url, DEFAULT)
    assert why in str(refused.value)


def test_what_is_said_holds_no_secret() -> None:
    """A refusal repeats neither user-info nor path nor query."""
    for url in (
        "https://user:s3cret@hooks.example/",
        "https://10.0.0.1/s3cret?s3cret",
        "https://a.example:1/s3cret",
        "https://a.example/#s3cret",
        "https://a_b-.example/s3cret",
    ):
        with pytest.raises(RefusedTargetError) as refused:
            check_url(url, DEFAULT)
        assert "s3cret" not in str(refused.value) + str(refused.value.facts)


_PIECES = st.sampled_from(["0", "1", "7", "8", "x", "X", "f", "127", "0x7f", "017", ".", "255", "169", "254"])


@given(st.lists(_PIECES, min_size=1, max_size=8).map("".join))
@example("0x7f.1")
@example("2130706433")
@example("00000177.1")
def test_no_host_that_c_reads_as_an_address_passes_as_a_name(host: str) -> None:
    """Whatever inet_aton reads is refused, but for four decimal parts of a public address."""
    try:
        meant = socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return
    try:
        check_url(f"https://{host}/", DEFAULT)
    except RefusedTargetError:
        return
    assert host == meant
    assert ip_address(meant).is_global


@given(st.ip_addresses())
@example(ip_address("168.63.129.16"))
def test_what_python_calls_not_global_is_refused(address: object) -> None:
    """Whatever may be told is global by Python's own tables too."""
    if refusal(str(address), DEFAULT) is None:
        assert ip_address(str(address)).is_global


@given(st.ip_addresses(v=4), st.sampled_from(["::{}", "::ffff:{}", "64:ff9b::{}", "::ffff:0:{}", "2002:{:x}:{:x}::1"]))
def test_no_ipv6_address_that_holds_an_ipv4_address_may_be_told(address: object, form: str) -> None:
    """IPv4-compatible, mapped, translated, NAT64 and 6to4 addresses are refused, whatever they hold."""
    number = int(ip_address(str(address)))
    text = form.format(number >> 16, number & 0xFFFF) if ":x" in form else form.format(address)
    assert refusal(text, DEFAULT)


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1", "loopback"),
        ("10.0.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.0.1", "private"),
        ("100.127.255.255", "CGNAT"),
        ("169.254.169.254", "metadata"),
        ("100.100.100.200", "CGNAT"),
        ("192.0.0.192", "reserved"),
        ("168.63.129.16", "Azure"),
        ("0.1.2.3", "unspecified"),
        ("192.0.2.1", "documentation"),
        ("198.51.100.1", "documentation"),
        ("203.0.113.1", "documentation"),
        ("192.88.99.1", "6to4"),
        ("198.18.0.1", "benchmarking"),
        ("239.255.255.250", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "broadcast"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::ffff:8.8.8.8", "IPv4-mapped"),
        ("::8.8.8.8", "IPv4-compatible"),
        ("64:ff9b::808:808", "NAT64"),
        ("64:ff9b:1::808:808", "NAT64"),
        ("2001:20::1", "reserved"),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo"),
        ("2001:db8::1", "documentation"),
        ("3fff::1", "documentation"),
        ("2002:808:808::1", "6to4"),
        ("fd00:ec2::254", "unique local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "zone"),
        ("2606:4700::1111%1", "zone"),
        ("fec0::1", "site-local"),
        ("ff0e::1", "multicast"),
        ("4000::1", "no public"),
        ("hooks.example", "no IP address"),
        ("127.1", "no IP address"),
    ],
)
def test_a_refusal_says_what_the_address_is(address: str, why: str) -> None:
    """Each kind of address that may not be told is named."""
    assert why in (refusal(address, DEFAULT) or "")


@pytest.mark.parametrize("address", ["8.8.8.8", "168.63.129.15", "172.32.0.1", "2606:4700::1111", "2a00:1450::1"])
def test_public_addresses_may_be_told(address: str) -> None:
    """An address of the public Internet is not refused."""
    assert refusal(address, DEFAULT) is None
