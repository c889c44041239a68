"""Workers at a whole server: what the scripted one can't show."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from antiphon.auth.v1.access_pb2 import SCOPE_WORK
from antiphon.events.v1.event_pb2 import TURN_STATE_CANCELLED
from antiphon.integration.v1.tool_pb2 import TOOL_ANSWER_ACTION_ACCEPTED
from antiphon_client import (
    AntiphonError,
    ApiKey,
    CallStatus,
    Client,
    NotFound,
    PermissionDenied,
    QuestionStatus,
    TurnHandle,
    TurnStatus,
)
from antiphon_client.worker import Work, Worker, WorkFailed
from antiphon_server.app import running as running_server
from antiphon_server.settings import Settings
from tests.client.worker.scripted import running
from tests.e2e.until import SOON_S, until
from tests.fakes.proxy import Proxy

WORDS = [f"wörd{number} " for number in range(200)]


@dataclass(frozen=True)
class Place:
    """A server, its operator, and the key of a program whose workers may serve "expert"."""

    port: int
    operator: Client
    key: ApiKey

    def worker(self, *, port: int = 0, slots: int = 8) -> Worker:
        address = f"127.0.0.1:{port or self.port}"
        return Worker("expert", address=address, credentials=self.key, slots=slots)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    settings = Settings(port=0, admin_port=None, data_dir=tmp_path / "data", model="scripted/echo")
    async with running_server(settings) as app:
        operator = ApiKey((settings.data_dir / "operator.key").read_text().strip())
        async with Client.connect(f"127.0.0.1:{app.port}", operator) as client:
            program = await client.create_user("expert-worker", program=True)
            await client.allow_worker("global", "expert", program.user_id)
            made = await client.new_api_key("worker", scopes=[SCOPE_WORK], user_id=program.user_id)
            yield Place(app.port, client, ApiKey(made.secret))


async def _updates(turn: TurnHandle) -> tuple[str, list[TurnStatus]]:
    """The turn's text, and what was said beside it."""
    text, said = "", []
    async for update in turn.updates():
        if isinstance(update, str):
            text += update
        else:
            said.append(update)
    return text, said


async def test_people_see_what_a_worker_says(place: Place) -> None:
    """Text, progress, its own tools; and the turn has the answer."""
    worker = place.worker()

    @worker.handler("expert", description="Knows.")
    async def expert(work: Work) -> None:
        await work.progress("looking it up", 0.5)
        async with work.tool_call("library", {"about": work.message}) as call:
            call.result("a book")
        await work.write(f"{work.message}? ")
        await work.write("Yes.")

    async with running(worker):
        name = (await place.operator.create_conversation()).conversation_id
        async with place.operator.converse(name) as talk:
            turn = await talk.post("Is it so", handler="expert")
            text, said = await _updates(turn)
            result = await turn.result()
        assert result.succeeded
        assert text == result.text == "Is it so? Yes."
        assert "looking it up" in [it.sentence for it in said]
        [ended] = [it for it in said if isinstance(it, CallStatus) and it.finished]
        assert ended.proposed.tool.endswith("library")


async def test_a_worker_asks_people(place: Place) -> None:
    """The turn rests until somebody answers."""
    worker = place.worker()

    @worker.handler("expert")
    async def expert(work: Work) -> None:
        schema = {"type": "object", "properties": {"city": {"type": "string"}}}
        answer = await work.ask("Where?", schema)
        assert answer.action == TOOL_ANSWER_ACTION_ACCEPTED
        await work.write(answer.content_json)

    async with running(worker):
        name = (await place.operator.create_conversation()).conversation_id
        async with place.operator.converse(name) as talk:
            turn = await talk.post("How is the weather?", handler="expert")
            async for update in turn.updates():
                if isinstance(update, QuestionStatus) and update.waits:
                    content = {"city": "Rome"}
                    await place.operator.answer_tool_call(
                        name, turn.turn_id, update.asked, content=content
                    )
            assert (await turn.result()).text == '{"city": "Rome"}'


async def test_a_worker_asks_models(place: Place) -> None:
    """By the turn's grant: about the conversation; what was used is the turn's usage."""
    worker, foreign = place.worker(), list[str]()

    @worker.handler("expert")
    async def expert(work: Work) -> None:
        before = [it async for it in work.client.list_messages(work.conversation_id)]
        await work.write(f"{len(before)}: ")
        async for text in work.generate():
            await work.write(text)
        await work.write(" / ")
        async for text in work.generate("something else", history=False):
            await work.write(text)
        for reached in (work.client.get_conversation(other), work.client.create_conversation()):
            with pytest.raises((NotFound, PermissionDenied)) as caught:
                await reached
            foreign.append(caught.value.reason)

    other = (await place.operator.create_conversation()).conversation_id
    async with running(worker):
        name = (await place.operator.create_conversation()).conversation_id
        await place.operator.post_message(name, "an aside")
        async with place.operator.converse(name) as talk:
            result = await (await talk.post("say it again", handler="expert")).result()
    assert result.text == "2: say it again / something else"
    assert result.usage.output_tokens > 0
    assert result.model == "scripted/echo"
    assert len(foreign) == 2


async def test_a_stop_reaches_the_handler(place: Place) -> None:
    """Within the time that people notice, and what it cleans up is waited for."""
    worker, cleaned = place.worker(), asyncio.Event()

    @worker.handler("expert")
    async def expert(work: Work) -> None:
        try:
            while True:
                await work.write("on and ")
                await asyncio.sleep(0.01)
        finally:
            cleaned.set()

    async with running(worker):
        name = (await place.operator.create_conversation()).conversation_id
        async with place.operator.converse(name) as talk:
            turn = await talk.post("go on", handler="expert")
            async for _ in turn:
                await turn.cancel()
                break
            assert (await turn.result()).state == TURN_STATE_CANCELLED
        await asyncio.wait_for(cleaned.wait(), SOON_S)


async def test_words_of_a_failure_reach_people(place: Place) -> None:
    """Behind what was said before."""
    worker = place.worker()

    @worker.handler("expert")
    async def expert(work: Work) -> None:
        await work.write("Well, ")
        raise WorkFailed("the library is closed")

    async with running(worker):
        name = (await place.operator.create_conversation()).conversation_id
        async with place.operator.converse(name) as talk:
            result = await (await talk.post("hello", handler="expert")).result()
    assert result.text == "Well, "
    assert isinstance(result.error, AntiphonError)
    assert result.error.reason == "HANDLER_FAILED"
    assert "the library is closed" in result.error.message


async def test_cuts_lose_and_double_nothing(place: Place) -> None:
    """Whatever is cut between worker and server: each answer is whole, by one run each."""
    chance, runs = random.Random(7), 0
    async with Proxy(place.port) as proxy:
        worker = place.worker(port=proxy.port)

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            nonlocal runs
            runs += 1
            for word in WORDS:
                await work.write(word)
                await asyncio.sleep(0.005)

        async with running(worker), proxy.cutting(chance, 3000, (0.1, 0.5)):

            async def answered() -> str:
                name = (await place.operator.create_conversation()).conversation_id
                async with place.operator.converse(name) as talk:
                    turn = await talk.post("go", handler="expert")
                    return "".join([piece async for piece in turn])

            answers = await asyncio.gather(*(answered() for _ in range(4)))
        assert answers == ["".join(WORDS)] * 4
        assert runs == 4
        assert proxy.connections > 4


async def test_a_network_that_swallows_all_for_a_while_costs_nothing(place: Place) -> None:
    """The worker looks for another way; the run goes on, and nothing is lost or said twice."""
    runs = 0
    async with Proxy(place.port) as proxy:
        worker = place.worker(port=proxy.port)

        @worker.handler("expert")
        async def expert(work: Work) -> None:
            nonlocal runs
            runs += 1
            for word in WORDS:
                await work.write(word)
                await asyncio.sleep(0.025)

        async with running(worker):
            name = (await place.operator.create_conversation()).conversation_id
            async with place.operator.converse(name) as talk:
                turn = await talk.post("go", handler="expert")
                async for _ in turn:
                    break
                for way in (proxy.up, proxy.down):
                    way.flowing.clear()
                await asyncio.sleep(3.5)
                for way in (proxy.up, proxy.down):
                    way.flowing.set()
                assert (await turn.result()).text == "".join(WORDS)
    assert runs == 1


async def test_a_worker_that_stops_hands_its_turns_on(place: Place) -> None:
    """The next one goes on behind what was said."""
    first, second = place.worker(), place.worker()

    @first.handler("expert")
    async def slow(work: Work) -> None:
        await work.write("One, ")
        await asyncio.Event().wait()

    @second.handler("expert")
    async def quick(work: Work) -> None:
        await work.write(f"two (behind {work.resumed_text!r})")

    async with running(first) as stopping, running(second) as other:
        name = (await place.operator.create_conversation()).conversation_id
        second.slots = 0
        await until(lambda: not other.done())
        async with place.operator.converse(name) as talk:
            turn = await talk.post("count", handler="expert")
            async for _ in turn:
                break
            second.slots = 1
            first.stop(0.1)
            async with asyncio.timeout(SOON_S):
                assert (await turn.result()).text == "One, two (behind 'One, ')"
        await asyncio.wait_for(stopping, SOON_S)


async def test_a_worker_that_nobody_has_allowed_ends(place: Place) -> None:
    """With the error that says so."""
    worker = place.worker()

    @worker.handler("stranger")
    async def stranger(work: Work) -> None:
        """Never comes to anything."""

    with pytest.raises(PermissionDenied) as caught:
        await asyncio.wait_for(worker.run(signals=False), SOON_S)
    assert caught.value.reason == "HANDLER_NOT_ALLOWED"
