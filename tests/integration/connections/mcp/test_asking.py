"""Tools of a real server that ask people, by both revisions."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from antiphon_server.integration.connections.mcp.adapters.connection import McpConnection
from antiphon_server.integration.connections.mcp.adapters.sampled import MAX_TOKENS, MOST_SAMPLES
from antiphon_server.integration.connections.mcp.model import (
    Config,
    Endpoint,
    Limits,
    Program,
    Revision,
)
from antiphon_server.integration.connections.mcp.opening import open_connection
from antiphon_server.integration.connections.mcp.ports import Line, Outside, Sampled, Wanted
from antiphon_server.integration.tools.model import (
    Call,
    Caller,
    Json,
    Result,
    SourceName,
    ToolCallId,
    ToolName,
)
from antiphon_server.integration.tools.questions import (
    Action,
    Answer,
    Attendance,
    Pause,
    Question,
)
from antiphon_server.runtime.errors.domain_error import DomainError, Reason
from tests.integration.connections.mcp.asking import SERVER, asking_server
from tests.runtime.egress.places import guarded

STATELESS: Revision = "2026-07-28"
SESSIONS: Revision = "2025-11-25"
LIMITS = Limits(open_s=30, call_s=5, max_rounds=3)
LEMON = Answer(Action.ACCEPTED, {"flavour": "lemon", "slices": 4})


class People:
    """Those who attend one call: they say the same to each question, if they are told to."""

    def __init__(self, says: Answer | None = None) -> None:
        self.asked: list[Question] = []
        self.attendance = Attendance(self._tell)
        self._says = says

    async def _tell(self, question: Question) -> None:
        self.asked.append(question)
        if self._says is not None:
            self.attendance.take(question.question_id, self._says)


@asynccontextmanager
async def connected(
    target: Endpoint | Program, revision: Revision, model: "Model | None" = None
) -> AsyncGenerator[McpConnection]:
    config = Config(SourceName("it"), target, revision, LIMITS)
    outside = Outside(guarded, sampling=model)
    connection = await open_connection(config, outside)
    try:
        await connection.discover()
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def over_http(
    done: Path, revision: Revision, model: "Model | None" = None
) -> AsyncGenerator[McpConnection]:
    async with (
        asking_server(done) as url,
        connected(Endpoint(url), revision, model) as connection,
    ):
        yield connection


def call(tool: str, people: People | None = None, **arguments: Json) -> Call:
    attendance = people.attendance if people else None
    return Call(ToolCallId("1"), ToolName(f"it.{tool}"), arguments, Caller("w"), attendance)


def text(result: Result | Pause) -> str:
    assert isinstance(result, Result)
    return result.parts[0].content


async def test_a_stateless_server_pauses_the_call_and_is_called_again(tmp_path: Path) -> None:
    """Another process could do that: all that it needs is the pause's state."""
    done = tmp_path / "done"
    async with over_http(done, STATELESS) as first:
        pause = await first.call(call("bake", People(), who="Anna"))
        assert isinstance(pause, Pause)
        (question,) = pause.questions
        assert question.message == "Which cake\ufffd shall it be?"
        form = json.loads(question.schema)
        assert form["properties"]["flavour"]["enum"] == ["lemon", "chocolate"]
        assert form["required"] == ["flavour", "slices"]
        assert not done.exists()
    async with over_http(done, STATELESS) as second:
        there = People()
        there.attendance.state = pause.state
        there.attendance.answers = {question.question_id: LEMON}
        told = await second.call(call("bake", there, who="Anna"))
        assert text(told) == "4 slices of lemon for Anna"
        assert done.read_text().splitlines() == [text(told)]


@pytest.mark.parametrize("revision", [STATELESS, SESSIONS])
async def test_with_nobody_to_ask_all_is_declined(tmp_path: Path, revision: Revision) -> None:
    """And the tool says what comes of that."""
    async with over_http(tmp_path / "done", revision) as connection:
        assert text(await connection.call(call("bake", who="Anna"))) == "No cake for Anna: decline"


async def test_a_server_with_sessions_asks_while_the_call_is_open(tmp_path: Path) -> None:
    """Of two calls at once each asks its own people; a page is shown as it is."""
    async with over_http(tmp_path / "done", SESSIONS) as connection:
        anna, ben = People(LEMON), People(Answer(Action.CANCELLED))
        both = await asyncio.gather(
            connection.call(call("bake", anna, who="Anna")),
            connection.call(call("bake", ben, who="Ben")),
        )
        assert [text(it) for it in both] == [
            "4 slices of lemon for Anna",
            "No cake for Ben: cancel",
        ]
        assert (len(anna.asked), len(ben.asked)) == (1, 1)
        page = People(Answer(Action.ACCEPTED))
        assert text(await connection.call(call("visit", page))) == "It was accept"
        assert page.asked[0].url == "https://login.example/ask?x=1"


async def test_the_time_of_people_does_not_count(tmp_path: Path) -> None:
    """A call may take five seconds, and its question is answered after six."""
    async with over_http(tmp_path / "done", SESSIONS) as connection:
        slow = People()
        calling = asyncio.create_task(connection.call(call("bake", slow, who="Anna")))
        await asyncio.sleep(6)
        slow.attendance.take(slow.asked[0].question_id, LEMON)
        assert text(await calling) == "4 slices of lemon for Anna"


@pytest.mark.parametrize("revision", [STATELESS, SESSIONS])
async def test_idempotent_tools_are_told_a_key(tmp_path: Path, revision: Revision) -> None:
    """The call's id; others are told none. A request with answers is another one."""
    async with over_http(tmp_path / "done", revision) as connection:
        (tmp_path / "done").touch()
        for _ in range(2):
            assert text(await connection.call(call("stamp"))).strip() == "1"
        assert text(await connection.call(call("unkeyed"))) == "none"
        there = People(LEMON)
        came = await connection.call(call("stamp_twice", there))
        if isinstance(came, Pause):
            there.attendance.state = came.state
            there.attendance.answers = {it.question_id: LEMON for it in came.questions}
            came = await connection.call(call("stamp_twice", there))
        assert text(came) == ("1/1" if revision is STATELESS else "1")


@pytest.mark.parametrize("revision", [STATELESS, SESSIONS])
async def test_a_page_is_visited_before_the_call_is_made(
    tmp_path: Path, revision: Revision
) -> None:
    """It is shown, and the call goes on when a person says to have been there; else it fails."""
    async with over_http(tmp_path / "done", revision) as connection:
        for says in (Answer(Action.ACCEPTED), Answer(Action.DECLINED)):
            there = People()
            pause = await connection.call(call("pay", there))
            assert isinstance(pause, Pause)
            (question,) = pause.questions
            assert (question.message, question.schema) == ("Pay for it", "")
            assert question.url == "https://pay.example/?for=cake"
            there.attendance.state = pause.state
            there.attendance.answers = {question.question_id: says}
            if says.action is Action.DECLINED and revision is SESSIONS:
                with pytest.raises(DomainError) as refused:
                    await connection.call(call("pay", there))
                assert "nobody has visited" in str(refused.value)
            else:
                told = {Action.ACCEPTED: "accept", Action.DECLINED: "decline"}[says.action]
                assert text(await connection.call(call("pay", there))) == f"It was {told}"


async def test_a_page_that_nobody_can_visit_is_named(tmp_path: Path) -> None:
    """A client that calls a tool by itself is told what is missing."""
    async with over_http(tmp_path / "done", SESSIONS) as connection:
        with pytest.raises(DomainError) as refused:
            await connection.call(call("pay"))
        assert refused.value.reason is Reason.TOOL_FAILED
        assert "needs a page visited" in str(refused.value.metadata)


async def insisting(connection: McpConnection, people: People) -> None:
    """Call again as often as the call pauses."""
    while isinstance(pause := await connection.call(call("never_content", people)), Pause):
        people.asked.extend(pause.questions)
        people.attendance.state = pause.state
        people.attendance.answers = {it.question_id: LEMON for it in pause.questions}


@pytest.mark.parametrize("revision", [STATELESS, SESSIONS])
async def test_who_never_stops_asking_is_stopped(tmp_path: Path, revision: Revision) -> None:
    """By name; the connection's next call is answered."""
    async with over_http(tmp_path / "done", revision) as connection:
        people = People(LEMON)
        with pytest.raises(DomainError) as refused:
            await insisting(connection, people)
        assert refused.value.reason is Reason.LIMIT_EXCEEDED
        assert len(people.asked) == LIMITS.max_rounds
        assert "Anna" in text(await connection.call(call("bake", who="Anna")))


async def test_a_program_with_several_calls_asks_nobody(tmp_path: Path) -> None:
    """It does not say for which of them it asks; one alone asks its own people."""
    program = Program(sys.executable, (SERVER, str(tmp_path / "done")))
    async with connected(program, SESSIONS) as connection:
        people = [People(LEMON), People(LEMON)]
        both = await asyncio.gather(
            *(connection.call(call("bake_beside", it, who="Anna")) for it in people)
        )
        assert [text(it) for it in both] == ["A cake for Anna: decline"] * 2
        assert text(await connection.call(call("bake", people[0], who="Ben"))).endswith("for Ben")


class Model:
    """Says how often it was asked, and remembers what."""

    def __init__(self) -> None:
        self.asked: list[Wanted] = []

    async def sample(self, caller: Caller, wanted: Wanted) -> Sampled:
        self.asked.append(wanted)
        return Sampled(f"word {len(self.asked)}", "test/model")


@pytest.mark.parametrize("revision", [STATELESS, SESSIONS])
async def test_a_model_is_asked_where_that_is_allowed(tmp_path: Path, revision: Revision) -> None:
    """Once, so long at most, beside what people are asked; and refused where it is not."""
    model, people = Model(), People(LEMON)
    async with over_http(tmp_path / "done", revision, model) as connection:
        came = await connection.call(call("praise", people))
        if isinstance(came, Pause):
            people.attendance.state = came.state
            people.attendance.answers = {it.question_id: LEMON for it in came.questions}
            came = await connection.call(call("praise", people))
        assert text(came) == "test/model: word 1 (accept)"
        (wanted,) = model.asked
        assert wanted.lines == (Line("user", "A word on cake"),)
        assert (wanted.instructions, wanted.max_tokens) == ("Be brief.", MAX_TOKENS)


@pytest.mark.parametrize("revision", [STATELESS, SESSIONS])
async def test_no_model_is_asked_where_nobody_has_allowed_it(
    tmp_path: Path, revision: Revision
) -> None:
    """The server is not even offered it."""
    async with over_http(tmp_path / "done", revision) as connection:
        with pytest.raises(DomainError) as refused:
            await connection.call(call("praise", People(LEMON)))
        assert refused.value.reason is Reason.TOOL_FAILED


async def test_who_asks_models_again_and_again_is_stopped(tmp_path: Path) -> None:
    """By name, after so many answers."""
    model = Model()
    async with over_http(tmp_path / "done", SESSIONS, model) as connection:
        with pytest.raises(DomainError) as refused:
            await connection.call(call("chatter"))
        assert refused.value.reason is Reason.LIMIT_EXCEEDED
        assert len(model.asked) == MOST_SAMPLES
