"""The catalogue's own ed25519 key, which signs ``v1a`` for every subscription: made at its first use, kept sealed.

Called by `desk`, which publishes its public half, and by notify.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from catalog_service.store.connect import Store
from catalog_service.subscriptions.vault import RandomBytes, Vault, new_private, private_key

_BOUND = "the signing key"


async def signing_key(store: Store, vault: Vault, random_bytes: RandomBytes) -> Ed25519PrivateKey:
    """Return the key, the same for everybody. Raises SealedError."""
    sealed = await store.signing_keys.get()
    if sealed is None:
        sealed = await store.signing_keys.set_first(vault.seal(new_private(random_bytes).encode(), _BOUND))
    return private_key(vault.open(sealed, _BOUND).decode())
