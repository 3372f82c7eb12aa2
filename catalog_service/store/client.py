"""The client of Redis: each command is timed, sent again where that is safe, and follows a primary that moved.

Sending again is safe: the scripts of `commit` and `tell` compare before they write, or know their audit entry; other
writes set what they would set again, but counts of requests (`rates`). In: a pool. Out: a `Redis` for the store.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    MovedError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as NoConnectionError
from redis.exceptions import TimeoutError as TimedOutError

from catalog_service.metrics import STORE_ERRORS, STORE_SECONDS
from catalog_service.store import commit, tell
from catalog_service.store.leases import Ask
from catalog_service.store.primary import Node, Primary

_RETRIES = 5
_TIMES = 2
"""That a whole timeout may pass: then it is not tried again."""
# | error                                    | what is done                                                        |
# |------------------------------------------|---------------------------------------------------------------------|
# | no connection, time out, LOADING         | sent again, up to five times, and not once two timeouts have passed |
# | READONLY, MOVED, CLUSTERDOWN, MASTERDOWN | the same, on new connections to where the primary is by then        |
# | ASK, TRYAGAIN: the slot is moving        | sent to its new node; later, where its keys are at both             |
# | OOM, MISCONF, NOPERM, NOAUTH, WRONGPASS  | raised at once                                                      |
_PASSING = (NoConnectionError, ConnectionError, TimedOutError, ReadOnlyError, AskError, TryAgainError, ClusterDownError)
_WAITING = "XREAD"
_NAMES = {
    text: name
    for module in (commit, tell)
    for name, text in vars(module).items()
    if isinstance(text, str) and text.startswith("#!lua")
}


class Client(Redis):
    """A client over ``pool``. ``primary``: where its connections go, for a Redis whose primary moves."""

    def __init__(self, pool: ConnectionPool, primary: Primary | None = None) -> None:
        super().__init__(connection_pool=pool)
        self.primary = primary
        self._retry = Retry(ExponentialWithJitterBackoff(cap=1.0, base=0.05), _RETRIES, _PASSING)  # type: ignore[arg-type]  # of the standard library's too
        self._most_s = _TIMES * (pool.connection_kwargs.get("socket_timeout") or math.inf)
        self._scripts: dict[str, str] = {}

    def register_script(self, script: Any) -> Any:
        """Return ``script`` to be called; its text is kept, for a node that does not know it."""
        registered = super().register_script(script)
        self._scripts[registered.sha] = script
        return registered

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command and return its reply. Raises RedisError."""
        send: Ask = super().execute_command

        async def once() -> Any:
            try:
                return await send(*args, **options)
            except AskError as error:
                if isinstance(error, MovedError) or not self.primary:
                    raise
                return await self._asking(Node(error.host, error.port), args)

        return await self.lasting(self._name(args), once)

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:  # noqa: FBT001, FBT002 - redis-py's
        """Return commands to be sent at once."""
        return _Commands(self, transaction=transaction)

    async def lasting(self, name: str, once: Callable[[], Awaitable[Any]]) -> Any:
        """Return what ``once`` does, again where it failed and may do so no more; timed as the command ``name``."""
        start = time.perf_counter()

        def may_pass(error: Exception) -> bool:
            return not isinstance(error, AuthenticationError) and time.perf_counter() - start < self._most_s

        try:
            return await self._retry.call_with_retry(once, self._look_again, may_pass)
        except NoScriptError:  # its caller loads the script
            raise
        except (RedisError, OSError) as error:
            STORE_ERRORS.labels(type(error).__name__).inc()
            raise
        finally:
            if name != _WAITING:
                STORE_SECONDS.labels(name).observe(time.perf_counter() - start)

    def _name(self, args: tuple[Any, ...]) -> str:
        """Return what a command is counted as: a script by what it is."""
        return _NAMES.get(self._scripts.get(str(args[1]), ""), "EVALSHA") if args[0] == "EVALSHA" else str(args[0])

    async def _look_again(self, error: Exception) -> None:
        """Have the next try go to where the primary is by then."""
        if isinstance(error, TryAgainError) or type(error) is AskError:
            return
        is_demoted = isinstance(error, (ReadOnlyError, MovedError, ClusterDownError))
        if self.primary:
            self.primary.forget(_told(error))
        if self.primary or is_demoted:
            await self.connection_pool.update_active_connections_for_reconnect()  # type: ignore[no-untyped-call]
            with contextlib.suppress(RedisError, OSError):
                await self.connection_pool.disconnect(inuse_connections=False)

    async def _asking(self, node: Node, args: tuple[Any, ...]) -> Any:
        """Send a command for what has moved to ``node`` already, in a slot that is still moving there."""
        if args[0] == "EVALSHA":
            args = ("EVAL", self._scripts.get(args[1], ""), *args[2:])
        pool, there = self.connection_pool, Primary((), _nobody, "")
        there.forget(node)
        connection: Any = pool.connection_class(**{**pool.connection_kwargs, "primary": there})
        try:
            await connection.connect()
            await connection.send_command("ASKING")
            await connection.read_response()
            await connection.send_command(*args)
            return await self.parse_response(connection, args[0])
        finally:
            await connection.disconnect(nowait=True)


class _Commands(Pipeline):
    """Commands that are sent at once, as lasting as one alone."""

    def __init__(self, client: Client, *, transaction: bool) -> None:
        super().__init__(client.connection_pool, client.response_callbacks, transaction, None)
        self._client = client

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - redis-py's
        """Send them and return their replies, in order. Raises RedisError."""
        commands, send = list(self.command_stack), super().execute

        async def once() -> Any:
            self.command_stack = list(commands)  # a try that failed forgot them
            return await send(raise_on_error)

        replies: list[Any] = await self._client.lasting("MULTI" if self.is_transaction else "PIPELINE", once)
        return replies


def _told(error: Exception) -> Node | None:
    """Return where ``error`` says that the primary is, if it does."""
    if isinstance(error, MovedError) and error.host not in ("", "?"):
        return Node(error.host, error.port)
    return None


async def _nobody(_: Node) -> None:
    return None
