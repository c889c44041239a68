"""Who pays for what a turn's worker has a model asked: its turn, and those who asked for that."""

import pytest

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER, Part
from antiphon.integration.v1 import integration_service_pb2 as pb
from antiphon_server.integration.encoding import order, remembered_prompts
from antiphon_server.integration.ledger.model import Payer, WorkspaceId
from antiphon_server.integration.models.paying import Paying
from antiphon_server.runtime.access.principal import (
    Grant,
    Principal,
    SessionId,
    UserId,
    set_principal,
)
from antiphon_server.runtime.errors import Reason
from tests.e2e.refusals import Refused

GRANT = Grant("turn_00000001", "conv_00000001", "ws_00000001", 1)
OWN = {"conversation_id": GRANT.conversation_id, "turn_id": GRANT.turn_id}
KEYS = ("key_1", "key_2")


class Nobody:
    """Conversations about which nobody asks: a grant has its own."""

    async def admit(self, caller: Principal, conversation_id: str) -> str:
        raise AssertionError(conversation_id)


async def payer(conversation_id: str = "", turn_id: str = "") -> Payer:
    """Who pays for what a worker asks for, who says that another user does."""
    set_principal(Principal("grant", UserId("user_ann"), SessionId(""), api_keys=KEYS, grant=GRANT))
    request = pb.GenerateRequest(
        workspace_id=GRANT.workspace_id,
        conversation_id=conversation_id,
        turn_id=turn_id,
        user_id="user_bob",
        api_keys=["key_bobs"],
        messages=[pb.PromptMessage(role=MESSAGE_ROLE_USER, parts=[Part(text="hi")])],
    )
    return await Paying(Nobody()).admitted(order(request, remembered_prompts()).payer)


@pytest.mark.parametrize("named", [{}, OWN, {"turn_id": GRANT.turn_id}])
async def test_the_turn_pays_with_its_users_keys(named: dict[str, str]) -> None:
    """Whether the request names it or not, and whomever it names."""
    assert await payer(**named) == Payer(
        WorkspaceId(GRANT.workspace_id),
        GRANT.conversation_id,
        GRANT.turn_id,
        user_id="user_ann",
        api_keys=KEYS,
    )


@pytest.mark.parametrize("name", OWN)
async def test_no_other_turn_pays(name: str) -> None:
    """The request that names one is refused, and told which field is wrong."""
    with Refused(Reason.INVALID_ARGUMENT) as refused:
        await payer(**{**OWN, name: OWN[name][:-1] + "2"})
    assert [it.field for it in refused.error.violations] == [name]
