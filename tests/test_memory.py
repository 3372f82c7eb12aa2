"""What lives is set aside, what is garbage goes."""

from __future__ import annotations

import asyncio
import gc
import weakref
from datetime import timedelta

from catalog_service.memory import set_aside
from catalog_service.reader import Reader
from catalog_service.store.connect import Store
from catalog_service.tasks import stop
from tests.api_client import DAY, START, TAGS, TAGS_1, TAGS_2, commit


class Ring:
    """Refers to itself: only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


async def until_gone(there: weakref.ref[Ring]) -> None:
    """Return once it was collected, within ten seconds."""
    async with asyncio.timeout(10):
        while there():
            await asyncio.sleep(0.01)


async def test_each_version_has_garbage_collected_and_the_rest_set_aside(store: Store) -> None:
    """Also garbage that lived when the version before was set aside; in the end everything is as it was."""
    reader = Reader(store)
    for number in range(2):
        await commit(store, TAGS, (TAGS_1, TAGS_2)[number], START + number * DAY)
    await reader.refresh()
    gc.disable()
    setting = asyncio.create_task(set_aside(reader, settled_s=0))
    try:
        ring = Ring()
        there = weakref.ref(ring)
        while not gc.get_freeze_count():
            await asyncio.sleep(0.01)
        del ring
        assert there()
        await commit(store, TAGS, TAGS_1, START + 3 * DAY + timedelta(hours=1))
        await reader.refresh()
        await until_gone(there)
    finally:
        gc.enable()
        await stop(setting)
    assert gc.get_freeze_count() == 0
