"""The catalogue's own ed25519 key, which signs ``v1a`` for every subscription: made at its first use, kept sealed.

Called by `desk`, which publishes its public half, and by notify.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from catalog_service.store.connect import Store
from catalog_service.subscriptions.vault import RandomBytes, Vault, new_private, private_key
from schema.errors import StaleHeadError
from schema.version import AuditEntry

BOUND = "the signing key"
"""What it is sealed for (`Vault.seal`)."""


async def signing_key(store: Store, vault: Vault, random_bytes: RandomBytes) -> Ed25519PrivateKey:
    """Return the key, the same for everybody. Raises SealedError."""
    sealed = await store.signing_keys.get()
    if sealed is None:
        sealed = await store.signing_keys.set_first(vault.seal(new_private(random_bytes).encode(), BOUND))
    return private_key(vault.open(sealed, BOUND).decode())


async def renewed(store: Store, vault: Vault, random_bytes: RandomBytes, entry: AuditEntry) -> Ed25519PrivateKey:
    """Put a new key in the place of the one there is, whoever can open that. Raises SealedError, StaleHeadError."""
    private = new_private(random_bytes)
    if not await store.signing_keys.replace(await store.signing_keys.get(), vault.seal(private.encode(), BOUND), entry):
        raise StaleHeadError("others renew the signing key at this moment")
    return private_key(private)
