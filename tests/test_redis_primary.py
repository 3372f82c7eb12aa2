"""Where the primary is, by what several Sentinels or nodes say of it."""

from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import ConnectionError as NoConnectionError

from catalog_service.store.primary import Node, Primary, having_the_slot

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


@pytest.mark.parametrize("host", [b"$1\r\n?\r\n", b"$0\r\n\r\n", b"$-1\r\n"])
async def test_a_node_that_does_not_know_its_name(host: bytes) -> None:
    """Behind ``?``, an empty name or none is the node that was asked."""
    ended = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"SLOTS\r\n")
        writer.write(b"*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n" + host + b":7001\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        ended.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        asked = Node("127.0.0.1", server.sockets[0].getsockname()[1])
        primary = having_the_slot((asked,), {"protocol": 2, "driver_info": None}, tls=False)
        assert await primary.node() == Node("127.0.0.1", 7001)
        async with asyncio.timeout(10):
            await ended.wait()
