"""Calls that take long, and end when their callers may not go on with them."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from antiphon_server.runtime.access.policy import enforce
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.access.rules import AccessPolicy, TokenRechecker, rule_of
from antiphon_server.runtime.concurrency.tasks import first_of
from antiphon_server.runtime.rpc.duplex import open_stream
from antiphon_server.runtime.rpc.interceptors.authentication import bearer_token
from antiphon_server.runtime.rpc.methods import Context

LOOK_S = 0.25
"""How often is asked: sessions and roles are answered from memory, so nobody has to be told."""


class AccessRecheck:
    """Whether callers of a method, who were let in, still may do what it does."""

    def __init__(self, policy: AccessPolicy, verifier: TokenRechecker, method: str) -> None:
        self._policy = policy
        self._verifier = verifier
        self._rule = rule_of(method)

    async def during(
        self, context: Context, resource: str, work: Coroutine[Any, Any, None]
    ) -> None:
        """Do the streaming call's ``work``; cancel it, and wait for its end, if its caller may not.

        Parts of this installation do it without being asked again. Raises what ``work`` raises,
        and DomainError SESSION_REVOKED, TOKEN_INVALID, TOKEN_EXPIRED (the turn of its grant has
        ended), or what the policy refuses with.
        """
        if current_principal().kind not in ("user", "grant"):
            await work
            return

        async def stream() -> None:
            await open_stream(context)  # a write may be given up half-way
            await work

        try:
            await first_of([stream(), self._refused(context, resource)])
        finally:
            work.close()  # if it was never begun

    async def _refused(self, context: Context, resource: str) -> None:
        caller, token = current_principal(), bearer_token(context)
        while True:
            await asyncio.sleep(LOOK_S)
            await self._verifier.recheck(token, caller)
            enforce(await self._policy.decide(caller, self._rule, resource))
