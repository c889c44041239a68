"""What somebody wants to be known by reaches models in their own turns, routes and schedules."""

import re

import pytest

from antiphon.auth.v1.access_pb2 import ROLE_MEMBER
from antiphon.dispatcher.v1.route_pb2 import RouteMatch, RouteRule
from antiphon.dispatcher.v1.schedule_pb2 import Cron
from antiphon_client import Client, Password
from antiphon_server.memory.assembly.who_asks import HEAD
from tests.e2e.server import ServerProcess
from tests.e2e.test_recalled import ask, explained, last_prompt
from tests.fakes.openai_endpoint import FakeEndpoint

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSWORD = "correct horse battery"


async def test_models_know_who_asks(
    server: ServerProcess, client: Client, endpoint: FakeEndpoint
) -> None:
    """Whoever asks, and nobody else; what is set holds for the next turn, and then no more."""
    conversation = (await client.create_conversation()).conversation_id
    await ask(client, conversation, "first")
    assert not any(HEAD in it for it in last_prompt(endpoint))
    await client.update_profile(
        time_zone="Asia/Tokyo", call_name="Ännchen", fields={"team": "canary"}
    )
    turn = await ask(client, conversation, "second")
    told = last_prompt(endpoint)[-2]
    assert told.startswith(HEAD)
    assert re.search(r"^> Today is \w+, \d+ \w+ 20\d\d, \d\d:\d\d in Asia/Tokyo\.$", told, re.M)
    assert "> They want to be called: Ännchen" in told
    assert "canary" not in str(endpoint.seen[-1].body)
    found = await explained(client, conversation, turn)
    (item,) = [it for it in found.items if it.HasField("profile")]
    assert "Ännchen" in item.text

    bob = (await client.create_user("bob-profiled", PASSWORD)).user_id
    await client.add_member(conversation, bob, ROLE_MEMBER)
    async with Client.connect(server.address, Password("bob-profiled", PASSWORD)) as his:
        await ask(his, conversation, "third")
        assert not any(HEAD in it for it in last_prompt(endpoint))
        hidden = [it for it in (await explained(his, conversation, turn)).items if it.profile]
        assert [it.text for it in hidden] == [""]
    workspace = (await client.get_conversation(conversation)).workspace_id
    await client.update_profile(workspace, call_name="Dr. A")
    await ask(client, conversation, "fourth")
    assert "> They want to be called: Dr. A" in last_prompt(endpoint)[-2]
    await client.delete_profile(all=True)
    await ask(client, conversation, "fifth")
    assert not any(HEAD in it for it in last_prompt(endpoint))


async def test_routes_and_schedules_know_it(client: Client) -> None:
    """A rule looks at the sender's; a schedule that names no zone is in its creator's."""
    conversation = await client.create_conversation()
    where = conversation.workspace_id
    match = RouteMatch(sender_locales=["de"], sender_fields={"team": "*"})
    rule = RouteRule(name="german", match=match, handler="echo")
    await client.set_routes(where, [rule])

    async def chosen() -> str:
        found = await client.explain_route(conversation.conversation_id, "hello")
        return found.rule

    assert await chosen() == ""
    await client.update_profile(locale="de-AT", fields={"team": "blue"}, time_zone="Asia/Tokyo")
    assert await chosen() == "german"
    await client.update_profile(where, locale="fr")
    assert await chosen() == ""
    daily = Cron(expression="0 9 * * *")
    made = await client.create_schedule(conversation.conversation_id, "Sum up", daily)
    assert made.cron.time_zone == "Asia/Tokyo"
    await client.set_routes(where, [])
    await client.delete_profile(all=True)
