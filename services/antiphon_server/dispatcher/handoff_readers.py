"""Whose queue it is: who may take what waits."""

import asyncio
from collections.abc import Sequence
from typing import TypeAlias

from antiphon_server.dispatcher.handoff_model import HandoffRole, QueuedHandoff
from antiphon_server.dispatcher.ports import Gatekeeper
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.concurrency.tasks import together
from antiphon_server.runtime.errors import DomainError, Reason

AT_ONCE = 16
_REFUSED = {Reason.NOT_FOUND, Reason.PERMISSION_DENIED}
_Asked: TypeAlias = tuple[str, bool]
"""A conversation, and whether one has to be its admin."""


class HandoffReaders:
    """Knows what somebody may take. ``roles_alone``: no engine outside has a say in it.

    Admins of a workspace are that in all its conversations, so where roles alone decide they are
    asked about once. An engine may see that otherwise, for each.
    """

    def __init__(self, gatekeeper: Gatekeeper, *, roles_alone: bool) -> None:
        self._gatekeeper, self._roles_alone = gatekeeper, roles_alone

    async def among(
        self, page: Sequence[QueuedHandoff], principal: Principal, workspace_id: str
    ) -> Sequence[QueuedHandoff]:
        """Those of a workspace's for which the caller has the role. Raises DomainError."""
        asked = dict.fromkeys(map(_asked, page))
        by_roles = self._roles_alone and len(asked) > 1
        if by_roles and await self._may(principal, workspace_id, admin=True):
            return page
        some = asyncio.Semaphore(AT_ONCE)

        async def may(it: _Asked) -> bool:
            async with some:
                return await self._may(principal, it[0], admin=it[1])

        known = dict(zip(asked, await together([may(it) for it in asked]), strict=True))
        return [it for it in page if known[_asked(it)]]

    async def _may(self, principal: Principal, where: str, *, admin: bool) -> bool:
        try:
            await self._gatekeeper.check_role(principal, where, admin=admin, reads=True)
        except DomainError as error:
            if error.reason not in _REFUSED:
                raise
            return False
        return True


def _asked(it: QueuedHandoff) -> _Asked:
    return it.conversation_id, it.handoff.role != HandoffRole.MEMBER
