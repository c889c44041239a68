"""What a filter holds, as its author sees it in a terminal."""

from antiphon.auth.v1.access_pb2 import ROLE_ADMIN
from antiphon.context.v1.filter_pb2 import FILTER_ACTION_HOLD, Filter, TermsFilter
from antiphon_client import Client, Password
from tests.cli.conftest import Home
from tests.cli.terminal import Terminal
from tests.e2e.until import until_it

SECRET = "a long enough secret"
WORDS = Filter(name="words", action=FILTER_ACTION_HOLD, terms=TermsFilter(terms=["falcon"]))


async def _handoff(client: Client, workspace: str) -> str:
    """The one that waits, when there is one."""
    found: list[str] = []

    async def waits() -> bool:
        found[:] = [it.handoff.handoff_id async for it in client.list_handoffs(workspace)]
        return bool(found)

    await until_it(waits)
    return found[0]


async def test_a_chat_says_that_a_person_looks_first_and_what_they_decide(
    shared_home: Home, address: str
) -> None:
    """It waits, is let go on and answered; or is refused, and says why."""
    async with shared_home.client(address) as operator:
        made = await operator.create_conversation("held")
        where, workspace = made.conversation_id, made.workspace_id
        await operator.set_filters(workspace, [WORDS])
        anna = await operator.create_user("anna", SECRET, display_name="Anna")
        await operator.add_member(workspace, anna.user_id, ROLE_ADMIN)
    arguments = ["chat", "-c", where, "--handler", "echo"]
    async with Client.connect(address, Password("anna", SECRET)) as client:
        with Terminal(arguments, shared_home.environment) as chat:
            chat.wait_for(">$")
            chat.line("what of the falcon?")
            chat.wait_for("waiting until a person has looked at it: Filter words has found term.")
            await client.return_handoff(where, await _handoff(client, workspace), note="known")
            chat.wait_for(r"\nwhat of the falcon\?\n(.|\n)* s\n\n>$")
            chat.line("and where is it, the falcon?")
            await client.decline_handoff(where, await _handoff(client, workspace), "not here")
            chat.wait_for(r"declined it. not here(.|\n)*>$")
