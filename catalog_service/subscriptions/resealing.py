"""Sealing anew: all that older keys sealed is sealed with the first one, so that they can be dropped.

In: the store, a vault that has the older keys too, who asks, when and through which token. Out: how many were sealed
anew, audited in the same step. Called by `desk`.
"""

from __future__ import annotations

from datetime import datetime

from catalog_service.store.connect import Store
from catalog_service.subscriptions.making import in_short
from catalog_service.subscriptions.signing_key import BOUND
from catalog_service.subscriptions.vault import Vault
from schema.errors import StaleHeadError
from schema.version import AuditEntry

_ATTEMPTS = 20


async def resealed(store: Store, vault: Vault, who: str, now: datetime, token: str = "") -> int:
    """Seal all with the first key; return of how many subscriptions that was, with the signing key one more.

    All of it in one step, or nothing: where others changed a secret meanwhile, all is read again.

    Raises:
        SealedError: something opens with no key that is here, or was damaged.
        StaleHeadError
    """
    for _ in range(_ATTEMPTS):
        key = await store.signing_keys.get()
        signing = (key, vault.anew(key, BOUND)) if key else None
        every = await store.subscriptions.every_sealed()
        changed = tuple(
            (id_, sealed, after) for id_, sealed in every if (after := vault.resealed(id_, sealed, now)) != sealed
        )
        if signing and signing[0] == signing[1]:
            signing = None
        if not changed and not signing:
            return 0
        told = in_short({"subscriptions": len(changed), "signing_keys": 1 if signing else 0})
        if await store.subscriptions.reseal(
            changed, signing, AuditEntry(now, who, "subscription-reseal", "secrets", "", told, token)
        ):
            return len(changed) + (signing is not None)
    raise StaleHeadError("others change subscriptions faster than this")
