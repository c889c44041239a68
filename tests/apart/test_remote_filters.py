"""A filter of others is asked by one server, and stands before what others do."""

from pathlib import Path

from antiphon.context.v1.filter_pb2 import FILTER_ACTION_SANITISE, Filter, RemoteFilter
from antiphon_client import text_of
from antiphon_server.integration.connections.settings import ConnectionSettings
from tests.apart.installation import installation
from tests.filters.moderation import TOOL, Moderation, serving

WORD = "blockhead"


async def test_it_is_asked_across_servers(tmp_path: Path) -> None:
    """With more than a tool is asked otherwise, and without a workspace where it is tried."""
    others = Filter(name="others", action=FILTER_ACTION_SANITISE, remote=RemoteFilter(tool=TOOL))
    long = "ä\n" * 60_000 + WORD
    async with serving(Moderation(WORD)) as port:
        given = (ConnectionSettings(name="moderation", grpc=f"http://127.0.0.1:{port}"),)
        async with installation(tmp_path, connections=given) as apart, apart.client() as client:
            conversation = await client.create_conversation(title="apart")
            await client.test_connection(conversation.workspace_id, "moderation")
            await client.set_filters("global", [others])
            tried = await client.try_filters("global", f"you {WORD}")
            assert [part.text for part in tried.parts] == ["you [rude]"]
            await client.post_message(conversation.conversation_id, long)
            async for it in client.list_messages(conversation.conversation_id):
                assert text_of(it.parts) == long.replace(WORD, "[rude]")
