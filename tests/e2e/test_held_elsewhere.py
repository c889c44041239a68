"""What a filter holds at one server another one lets go on: once, and both tell it."""

import asyncio
import base64
import os
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from antiphon.auth.v1.access_pb2 import ROLE_ADMIN
from antiphon.context.v1.filter_pb2 import FILTER_ACTION_HOLD, Filter, TermsFilter
from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_ASSISTANT
from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon.events.v1.event_pb2 import TURN_STATE_FAILED, TURN_STATE_SUCCEEDED, Event
from antiphon.events.v1.handoff_pb2 import HANDOFF_END_DECLINED, HANDOFF_END_RETURNED
from antiphon_client import AntiphonError, Client, HandoffStatus, Password, TurnHandle, text_of
from tests.e2e.callers import PASSWORD
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it
from tests.fakes.postgres import Postgres

pytestmark = pytest.mark.asyncio(loop_scope="module")
HELD = "what of the falcon?"
ROUNDS = 12


@dataclass(frozen=True, slots=True)
class Pair:
    """Two servers: at the first one Anna speaks, at both are admins who look at it."""

    first: ServerProcess
    anna: Client
    here: Client
    there: Client
    workspace: str

    async def say(self) -> tuple[str, str, str]:
        """What is held, in a new conversation: where, its turn and its hand-off."""
        where = await self.conversation()
        turn_id = (await self.anna.dispatch(where, HELD, handler="echo")).turn.turn_id
        return where, turn_id, await self.handoff(where, turn_id)

    async def conversation(self) -> str:
        """A new one of Anna's."""
        made = await self.anna.create_conversation(workspace_id=self.workspace)
        return made.conversation_id

    async def handoff(self, where: str, turn_id: str) -> str:
        """Its id, when the other server has it in its queue."""
        found: list[str] = []

        async def waits() -> bool:
            queue = self.there.list_handoffs(self.workspace)
            found[:] = [it.handoff.handoff_id async for it in queue if it.turn.turn_id == turn_id]
            return bool(found)

        await until_it(waits)
        assert (await self.there.get_turn(where, turn_id)).handoff.held_for == "echo"
        return found[0]

    async def ended(self, where: str, turn_id: str) -> Turn:
        """As it ended, as the second server tells it."""

        async def has_ended() -> bool:
            return (await self.there.get_turn(where, turn_id)).HasField("end_time")

        await until_it(has_ended)
        return await self.there.get_turn(where, turn_id)

    async def log(self, where: str) -> list[Event]:
        """All that has happened there."""
        return list((await self.there.read_events(f"conversations/{where}")).events)


@pytest_asyncio.fixture(loop_scope="module")
async def pair(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_LEASE_S": "2",
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
    }
    home = tmp_path_factory.mktemp("servers")
    first, second = (ServerProcess(home / it, variables=variables) for it in "ab")
    words = Filter(name="words", action=FILTER_ACTION_HOLD, terms=TermsFilter(terms=["falcon"]))
    async with all_of([first, second]), first.client() as operator:
        workspace = (await operator.create_conversation()).workspace_id
        await operator.set_filters(workspace, [words])
        for name in ("anna", "bert", "carl"):
            user = await operator.create_user(name, PASSWORD)
            await operator.add_member(workspace, user.user_id, ROLE_ADMIN)
        async with (
            Client.connect(first.address, Password("anna", PASSWORD)) as anna,
            Client.connect(first.address, Password("bert", PASSWORD)) as here,
            Client.connect(second.address, Password("carl", PASSWORD)) as there,
        ):
            yield Pair(first, anna, here, there, workspace)
        assert first.defects == second.defects == []


async def test_the_authors_stream_tells_what_is_decided_elsewhere(pair: Pair) -> None:
    """That it waits and why, that a person has let it go on, and what is answered then."""
    where = await pair.conversation()
    async with pair.anna.converse(where) as live:
        posted = await live.post(HELD, handler="echo")
        telling = asyncio.create_task(_told(posted))
        handoff_id = await pair.handoff(where, posted.turn_id)
        await pair.there.return_handoff(where, handoff_id, note="it is known by now")
        told = await telling
    assert told == [
        "waiting until a person has looked at it: Filter words has found term.",
        "a person has let it go on",
        HELD,
    ]


async def test_the_authors_stream_tells_why_it_is_refused_elsewhere(pair: Pair) -> None:
    where = await pair.conversation()
    async with pair.anna.converse(where) as live:
        posted = await live.post(HELD, handler="echo")
        handoff_id = await pair.handoff(where, posted.turn_id)
        await pair.there.decline_handoff(where, handoff_id, "not here")
        result = await posted.result()
    assert (result.state, result.text) == (TURN_STATE_FAILED, "")
    assert result.error is not None
    assert (result.error.reason, result.error.metadata["why"]) == ("HANDOFF_DECLINED", "not here")


async def _told(posted: TurnHandle) -> list[str]:
    """What is said of a turn: how it stands with people, and at last its answer."""
    said = [it.sentence async for it in posted.updates() if isinstance(it, HandoffStatus)]
    return [*said, (await posted.result()).text]


@pytest.mark.parametrize("seed", range(2))
async def test_it_goes_on_once_though_both_servers_let_it(pair: Pair, seed: int) -> None:
    """One of two admins was first: the other one is told so. The log has one end and one answer."""
    chance = random.Random(seed)
    for _ in range(ROUNDS // 2):
        where, turn_id, handoff_id = await pair.say()
        told = await _raced(pair, where, handoff_id, chance)
        ended = await pair.ended(where, turn_id)
        assert (ended.state, ended.handler) == (TURN_STATE_SUCCEEDED, "echo")
        [late] = [it for it in told if isinstance(it, AntiphonError)]
        assert late.reason == "HANDOFF_ENDED"
        log = await pair.log(where)
        [end] = [it for it in log if it.HasField("handoff_ended")]
        assert end.handoff_ended.end == HANDOFF_END_RETURNED
        assert _answers(log) == [HELD]


async def _raced(pair: Pair, where: str, handoff_id: str, chance: random.Random) -> list[object]:
    async def later(client: Client) -> Turn:
        await asyncio.sleep(chance.choice([0, 0, 0.002, 0.005]))
        return await client.return_handoff(where, handoff_id)

    both = [pair.here, pair.there]
    chance.shuffle(both)
    return list(await asyncio.gather(*map(later, both), return_exceptions=True))


async def test_one_lets_it_go_on_while_the_other_refuses_it(pair: Pair) -> None:
    """What was first counts, and the turn, the log and both who tried agree on it."""
    for _ in range(ROUNDS // 2):
        where, turn_id, handoff_id = await pair.say()
        told = await asyncio.gather(
            pair.here.return_handoff(where, handoff_id),
            pair.there.decline_handoff(where, handoff_id, "not here"),
            return_exceptions=True,
        )
        ended = await pair.ended(where, turn_id)
        log = await pair.log(where)
        [end] = [it.handoff_ended for it in log if it.HasField("handoff_ended")]
        is_refused = end.end == HANDOFF_END_DECLINED
        assert [isinstance(it, AntiphonError) for it in told] == [is_refused, not is_refused]
        state = TURN_STATE_FAILED if is_refused else TURN_STATE_SUCCEEDED
        assert ended.state == state
        assert _answers(log) == ([] if is_refused else [HELD])


async def test_the_other_server_has_it_when_the_first_one_dies(pair: Pair) -> None:
    """It waits on there, for whom it was, and its author still lets nothing go on."""
    where, turn_id, handoff_id = await pair.say()
    await pair.first.kill()
    ended = await _let_go(pair.there, where, handoff_id)
    assert ended.handler == "echo"
    assert (await pair.ended(where, turn_id)).state == TURN_STATE_SUCCEEDED
    assert _answers(await pair.log(where)) == [HELD]


async def _let_go(client: Client, where: str, handoff_id: str) -> Turn:
    """Repeated as clients repeat what nobody answers: until the dead server's lease is over."""
    done: list[Turn] = []

    async def is_done() -> bool:
        try:
            done.append(await client.return_handoff(where, handoff_id))
        except AntiphonError as error:
            if error.reason not in {"", "SERVICE_UNAVAILABLE", "DRAINING"}:
                raise
        return bool(done)

    await until_it(is_done)
    return done[0]


def _answers(log: list[Event]) -> list[str]:
    posted = [it.message_posted.message for it in log if it.HasField("message_posted")]
    return [text_of(it.parts) for it in posted if it.role == MESSAGE_ROLE_ASSISTANT]
