"""Where the primary is, by what several Sentinels or nodes say of it."""

from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import ConnectionError as NoConnectionError

from catalog_service.store.primary import Node, Primary

CUT_OFF, SLOW = Node("cut-off", 1), Node("slow", 2)
OLD, NEW = Node("old", 3), Node("new", 4)


async def test_one_that_is_cut_off_answers_first() -> None:
    """Once its primary has failed, another's word counts, however much later; without any, it is tried once more."""
    asked, knows = asyncio.Event(), {CUT_OFF: OLD}

    async def ask(node: Node) -> Node | None:
        if node is SLOW:
            await asked.wait()
        asked.set()
        return knows.get(node)

    primary = Primary((CUT_OFF, SLOW), ask, "the primary")
    assert await primary.node() == OLD
    primary.forget()
    assert await primary.node() == OLD
    knows[SLOW] = NEW
    for _ in range(3):
        asked.clear()
        primary.forget()
        assert await primary.node() == NEW
        primary.forget(OLD)


async def test_who_hangs_is_not_waited_for() -> None:
    """Neither for the first answer, nor where the only other one names the primary that has failed."""

    async def ask(node: Node) -> Node | None:
        if node is SLOW:
            await asyncio.Event().wait()
        return OLD

    primary = Primary((SLOW, CUT_OFF), ask, "the primary")
    async with asyncio.timeout(10):
        assert await primary.node() == OLD
        primary.forget()
        assert await primary.node() == OLD


async def test_nobody_knows_it() -> None:
    """What each said is told, in the order of their names."""

    async def ask(node: Node) -> Node | None:
        if node is SLOW:
            raise NoConnectionError("no answer")
        return None

    with pytest.raises(NoConnectionError, match="cut-off:1: does not know it; slow:2: no answer"):
        await Primary((SLOW, CUT_OFF), ask, "the primary").node()
