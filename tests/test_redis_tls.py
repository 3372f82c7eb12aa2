"""Redis over TLS, with certificates of our own making on both sides; skipped where the server program has no TLS."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from catalog_service.store.connect import open_store
from catalog_service.store.connection import RedisOptions
from schema.errors import StoreError
from tests.api_client import published
from tests.redis_shapes import NAME, RIGHTS, One, free_port, has_tls, until

PASSWORD = "of-the-catalogue"
Key = ec.EllipticCurvePrivateKey
_USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)
"""Python 3.13 wants a CA to say that it may sign (VERIFY_X509_STRICT)."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a CA's certificate, and a certificate for 127.0.0.1 with its key."""
    if not has_tls():
        pytest.skip("the server program here has no TLS")
    folder = tmp_path_factory.mktemp("tls")
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    for name, key, is_ca in (("ca", keys[0], True), ("a", keys[1], False)):
        certificate = _certificate(name, key, keys[0], is_ca=is_ca)
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = serialization.PrivateFormat.PKCS8
    pem = keys[1].private_bytes(serialization.Encoding.PEM, secret, serialization.NoEncryption())
    (folder / "a.key").write_bytes(pem)
    return folder


@pytest.fixture(scope="module")
def server(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[One]:
    """A server with TLS alone, which is a Cluster by itself; a user has no more rights than are needed."""
    rights = ("catalog", "on", f">{PASSWORD}", *RIGHTS.split(), "+cluster|slots")
    enabled = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()), "--user", *rights)
    made = One(tmp_path_factory.mktemp("redis"), *enabled, password="admins", tls=files)
    made.say("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    until(lambda: made.say("CLUSTER INFO")["cluster_state"] == "ok", "the Cluster is whole")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def sentinel(server: One, files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[One]:
    """A Sentinel with TLS alone that names it."""
    folder = tmp_path_factory.mktemp("sentinel")
    (folder / "conf").write_text(
        f"dir {folder}\nsentinel monitor {NAME} 127.0.0.1 {server.port} 1\nsentinel auth-pass {NAME} admins\n"
    )
    made = One(folder, str(folder / "conf"), sentinel=True, tls=files)
    yield made
    made.stop()


@pytest.fixture
def options(files: Path) -> RedisOptions:
    """How to speak to them."""
    mine = RedisOptions(username="catalog", password=PASSWORD)
    return replace(mine, tls_ca=files / "ca.pem", tls_cert=files / "a.pem", tls_key=files / "a.key")


@pytest.mark.parametrize(
    "shape", ["rediss://{server}", "rediss+cluster://{server}", "rediss+sentinel://{sentinel}/catalog"]
)
async def test_every_shape(server: One, sentinel: One, options: RedisOptions, tmp_path: Path, shape: str) -> None:
    """A catalogue is written and read over TLS, with a certificate of one's own, by a user of least rights."""
    server.say("FLUSHALL")
    url = shape.format(server=f"127.0.0.1:{server.port}", sentinel=f"127.0.0.1:{sentinel.port}")
    async with open_store(url, tmp_path, service=False, options=options) as store:
        await published(store)
        assert await store.versions.head() == 3


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ({"tls_ca": None}, "certificate verify failed"),
        ({"tls_cert": None, "tls_key": None}, "Redis does not answer"),
        ({"password": "wrong"}, "refuses this user"),
    ],
    ids=["ca", "certificate", "password"],
)
async def test_what_is_missing(
    server: One, options: RedisOptions, tmp_path: Path, missing: dict[str, Path | str | None], told: str
) -> None:
    """A server that is not trusted, or trusts not us, is not spoken to; no password is told."""
    url = f"rediss://127.0.0.1:{server.port}"
    with pytest.raises(StoreError, match=told) as caught:
        async with open_store(url, tmp_path, service=False, options=replace(options, **missing)):
            pass
    assert PASSWORD not in str(caught.value)


async def test_certificates_for_an_address_without_tls(options: RedisOptions, tmp_path: Path) -> None:
    """Who sets certificates and gives an address without TLS is told, before anything is sent."""
    with pytest.raises(StoreError, match="rediss://"):
        async with open_store("redis://127.0.0.1:1", tmp_path, service=False, options=options):
            pass


def _certificate(name: str, key: Key, by: Key, *, is_ca: bool) -> x509.Certificate:
    subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, "ca"))
    now = datetime.now(UTC)
    usages = dict.fromkeys(_USAGES, False) | {"key_cert_sign" if is_ca else "digital_signature": True}
    return (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.KeyUsage(**usages), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .sign(by, hashes.SHA256())
    )
