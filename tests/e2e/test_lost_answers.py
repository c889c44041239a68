"""Postgres commits, and its answer is lost: the same call again is answered by what is stored."""

from pathlib import Path
from urllib.parse import urlsplit

from antiphon.auth.v1.access_pb2 import ROLE_VIEWER
from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER
from antiphon_client import Client
from tests.e2e.server import ServerProcess
from tests.fakes.postgres import Postgres
from tests.fakes.proxy import Proxy

COMMITTED = b"COMMIT\0"  # CommandComplete's tag
ANSWERS = 12  # so many of a series' commits are lost, one in each round


async def series(client: Client, member: str, at: int) -> tuple[str, list[str]]:
    """Two messages and a viewer who left, by calls that clients repeat by themselves."""
    conversation = (await client.create_conversation(f"round {at}")).conversation_id
    await client.add_member(conversation, member, ROLE_VIEWER)
    await client.remove_member(conversation, member)
    posted = await client.post_message(conversation, "first")
    taken = await client.dispatch(conversation, "second", handler="echo")
    return conversation, [posted.message_id, taken.turn.turn_id]


async def test_no_lost_answer_loses_or_doubles_anything(postgres: Postgres, tmp_path: Path) -> None:
    """Whichever commit's it is, the client's own repeat gets what was made, once."""
    url = await postgres.database()
    async with Proxy(postgres.port) as proxy:
        behind = urlsplit(url)
        through = behind._replace(netloc=f"{behind.username}@{proxy.address}").geturl()
        server = ServerProcess(tmp_path, variables={"ANTIPHON_DATABASE_URL": through})
        async with server, server.client() as client:
            # Signs in, too, which is no call to be made twice.
            member = (await client.create_user("member")).user_id
            rounds = [await series(client, member, 0)]
            for at in range(1, ANSWERS + 1):
                proxy.cut_before(COMMITTED, at)
                rounds.append(await series(client, member, at))
            assert proxy.connections > ANSWERS
            for conversation, (message_id, turn_id) in rounds:
                told = [it async for it in client.list_messages(conversation)]
                asked = [it for it in reversed(told) if it.role == MESSAGE_ROLE_USER]
                assert [it.parts[0].text for it in asked] == ["first", "second"]
                assert asked[0].message_id == message_id
                assert [it.turn_id async for it in client.list_turns(conversation)] == [turn_id]
