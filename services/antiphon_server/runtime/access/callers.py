"""Who calls: by tokens of sessions, and by grants of turns."""

import time
from collections.abc import Callable

from antiphon_server.runtime.access.grants import PREFIX, GrantTokens, RunningTurns
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.access.rules import TokenRechecker
from antiphon_server.runtime.errors import DomainError, Reason


class CallersVerifier:
    """A :class:`TokenRechecker` for calls: it knows grants, and asks ``others`` of all else.

    What messages of a stream bring is none of its business: those are tokens of sessions.
    """

    def __init__(
        self,
        others: TokenRechecker,
        tokens: GrantTokens,
        turns: RunningTurns,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._others, self._tokens, self._turns, self._clock = others, tokens, turns, clock

    async def verify(self, token: str) -> Principal:
        """See :meth:`TokenVerifier.verify`; a grant whose turn has ended is TOKEN_EXPIRED.

        Raises DomainError too if it can't be known whether the turn runs.
        """
        if not token.startswith(PREFIX):
            return await self._others.verify(token)
        principal = self._tokens.read(token)
        if principal.expires_at <= self._clock():
            raise DomainError(Reason.TOKEN_EXPIRED)
        await self._check(principal)
        return principal

    async def recheck(self, token: str, principal: Principal) -> None:
        """See :meth:`TokenRechecker.recheck`; of a grant its turn counts, as a session does.

        A worker keeps its turn when that goes on at another server, by the next attempt, and with
        it what it has begun.
        """
        if principal.grant is None:
            await self._others.recheck(token, principal)
        else:
            await self._check(principal, or_later=True)

    async def _check(self, principal: Principal, *, or_later: bool = False) -> None:
        grant = principal.grant
        if grant is None or not await self._turns.runs(grant, or_later=or_later):
            raise DomainError(Reason.TOKEN_EXPIRED)
