"""That a turn waits for somebody's approval is told, once, also over a restart."""

from pathlib import Path
from typing import Any

from antiphon.events.v1.event_pb2 import EVENT_KIND_TOOL_CALL_PROPOSED, EVENT_KIND_TURN_NOTIFIED
from antiphon.integration.v1 import connection_pb2 as pb
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import until
from tests.e2e.webhooks import LOCAL
from tests.fakes.webhook_receiver import WebhookReceiver
from tests.proofs.tools.turns import tool_server

NOTE = "mail.note"
MODEL: dict[str, Any] = {
    "name": "scripted/echo",
    "kind": "scripted",
    "model": "echo",
    "script": {"calls": {"Note it": [{"tool": NOTE, "arguments": '{"key": "a"}'}]}},
}


async def test_a_call_that_waits_for_approval_is_told(tmp_path: Path) -> None:
    """Then it ends; the two have ids of their own, and both are in the user's log."""
    server = ServerProcess(tmp_path / "server", models=[MODEL], variables=LOCAL)
    async with (
        tool_server(tmp_path / "ledger") as url,
        all_of([server]),
        server.client() as client,
        WebhookReceiver() as receiver,
    ):
        _, secret = await client.create_webhook(receiver.hook)
        receiver.secrets.append(secret)
        made = await client.create_conversation(tools=[NOTE])
        mail = pb.Connection(name="mail", mcp=pb.McpTarget(url=url))
        await client.create_connection(made.workspace_id, mail)
        await client.test_connection(made.workspace_id, "mail")
        await client.dispatch(made.conversation_id, "Note it")
        await until(lambda: len(receiver.received) == 1)
        await server.restart()
        told = receiver.received[0]
        assert (told.body["type"], told.data["state"]) == ("turn.waiting", "TURN_STATE_RUNNING")

        kinds = (EVENT_KIND_TOOL_CALL_PROPOSED,)
        page = await client.read_events(f"conversations/{made.conversation_id}", kinds=kinds)
        proposed = page.events[0]
        call = proposed.tool_call_proposed
        assert told.data["toolCallId"] == call.tool_call_id
        await client.decide_tool_call(made.conversation_id, proposed.turn_id, call, approve=True)
        await until(lambda: receiver.received[-1].body["type"] == "turn.ended")
        ids = list(dict.fromkeys(receiver.ids))  # what was not noted as taken comes again
        assert len(ids) == 2
        me = (await client.who_am_i()).user.user_id
        page = await client.read_events(f"users/{me}", kinds=(EVENT_KIND_TURN_NOTIFIED,))
        assert [it.turn_notified.notification_id for it in page.events] == ids
