"""Who sees what in a queue, and how often roles are asked for that."""

import asyncio
from collections import Counter

from antiphon_server.dispatcher.handoff_model import Handoff, HandoffRole, QueuedHandoff
from antiphon_server.dispatcher.handoff_readers import AT_ONCE, HandoffReaders
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors import not_found
from tests.dispatcher.world import ANNA, Open

WORKSPACE, MANY = "ws_00000001", 200


class Counts(Open):
    """Lets Anna in where she has a role, and counts how often it is asked."""

    def __init__(self, *has: str) -> None:
        super().__init__()
        self.has, self.asked = set(has), Counter[str]()
        self._now = self.most = 0

    async def check_role(
        self, principal: Principal, conversation_id: str, *, admin: bool, reads: bool = False
    ) -> None:
        self.asked[conversation_id] += 1
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(0)
        self._now -= 1
        if conversation_id not in self.has:
            raise not_found(conversation_id)


def page() -> list[QueuedHandoff]:
    """Two in each conversation."""
    handoff = Handoff("hand_1", "", HandoffRole.MEMBER, "", 0, 0)
    where = [f"conv_{number // 2:08}" for number in range(MANY)]
    return [QueuedHandoff(handoff, WORKSPACE, it, "turn", "msg", "people", "") for it in where]


async def test_admins_are_asked_about_once() -> None:
    gatekeeper = Counts(WORKSPACE)
    readers = HandoffReaders(gatekeeper, roles_alone=True)
    assert await readers.among(page(), ANNA, WORKSPACE) == page()
    assert gatekeeper.asked == {WORKSPACE: 1}


async def test_an_engine_is_asked_about_each_conversation() -> None:
    """It may see in one of them what it does not in the workspace."""
    gatekeeper = Counts(WORKSPACE, "conv_00000003")
    readers = HandoffReaders(gatekeeper, roles_alone=False)
    shown = await readers.among(page(), ANNA, WORKSPACE)
    assert {it.conversation_id for it in shown} == {"conv_00000003"}


async def test_others_are_asked_about_each_conversation_some_at_once() -> None:
    gatekeeper = Counts("conv_00000003", "conv_00000007")
    readers = HandoffReaders(gatekeeper, roles_alone=True)
    shown = await readers.among(page(), ANNA, WORKSPACE)
    assert [it.conversation_id[-1] for it in shown] == ["3", "3", "7", "7"]
    assert set(gatekeeper.asked.values()) == {1}
    assert 1 < gatekeeper.most <= AT_ONCE
