"""Turns that turns have asked for: a chat shows them below the answer that they are for."""

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_ASSISTANT, Message, Part
from antiphon.events.v1 import event_pb2
from antiphon.events.v1.event_pb2 import Event
from antiphon_client import CallStatus, ChildStatus
from antiphon_client.trees import Trees as Told
from antiphon_server.cli.chat.news import News
from antiphon_server.cli.chat.screen import Screen
from antiphon_server.cli.chat.trees import Trees
from antiphon_server.cli.events import event_line
from tests.cli.conftest import Home, Run
from tests.e2e.until import until
from tests.workers.processes import WorkerProcess

ROOT, CHILD, LEAF = "turn_root0000", "turn_child000", "turn_leaf0000"
TREE = (sys.executable, "-m", "tests.workers.tree")


@pytest_asyncio.fixture
async def worker(antiphon: Run, tmp_path: Path) -> AsyncIterator[WorkerProcess]:
    """A worker that grows trees, let in as people do it."""
    invited = await asyncio.to_thread(antiphon, "workers", "invite", "tree", "--new-key")
    told = dict(line.split("=", 1) for line in invited.stdout.splitlines())
    address, key = told["ANTIPHON_ADDRESS"], told["ANTIPHON_API_KEY"]
    async with WorkerProcess(address, key, tmp_path / "worker.log", TREE) as worker:
        yield worker


async def test_a_tree_is_shown_by_lines_and_its_answer_alone_is_said(
    antiphon: Run, worker: WorkerProcess
) -> None:
    """Each line says whose it is, indented by how deep; what the others say is not shown."""
    asked = ("chat", "--once", "2 2 2 20", "--handler", "tree")
    shown = await asyncio.to_thread(antiphon, *asked)
    assert shown.stdout == "((leaf leaf) (leaf leaf))\n", shown.stderr
    lines = shown.stderr.splitlines()
    assert lines.count("⚙ tree “2 2 20”") == 2
    assert lines.count("  ⚙ tree “2 20”") == 4
    assert sum(line.startswith("✓ tree “2 2 20” · ") for line in lines) == 2
    assert sum(line.startswith("  ✓ tree “2 20” · ") for line in lines) == 4
    assert "leaf" not in shown.stderr
    assert "turn_id" not in shown.stderr


async def test_what_each_says_is_shown_to_who_asks_for_it(
    antiphon: Run, worker: WorkerProcess
) -> None:
    """Below its own line."""
    asked = ("chat", "--once", "2 2 20", "--handler", "tree", "--trees")
    shown = await asyncio.to_thread(antiphon, *asked)
    assert shown.stdout == "(leaf leaf)\n", shown.stderr
    assert shown.stderr.splitlines().count("  leaf") == 2


async def test_a_child_that_is_refused_is_shown_as_a_call(
    antiphon: Run, worker: WorkerProcess
) -> None:
    """Trees are four deep at most, and why there is none is said."""
    shown = await asyncio.to_thread(antiphon, "chat", "--once", "1 1 1 1 1 20", "--handler", "tree")
    assert "LIMIT_EXCEEDED" in shown.stdout
    assert "      ⚙ tree" not in shown.stderr


async def test_whoever_comes_later_reads_the_conversation_alone(
    antiphon: Run, worker: WorkerProcess
) -> None:
    """What turns asked of others is no message of it; the log tells parents and workers."""
    await asyncio.to_thread(antiphon, "chat", "--once", "2 2 20", "--handler", "tree")
    listed = await asyncio.to_thread(antiphon, "conversations", "--json")
    conversation = json.loads(listed.stdout.splitlines()[0])["conversation_id"]
    asked = ("chat", "-c", conversation)
    shown = await asyncio.to_thread(lambda: antiphon(*asked, stdin="/quit\n"))
    said = [line for line in shown.stdout.splitlines() if line]
    assert said == ["> 2 2 20", "(leaf leaf)"], shown
    tail = ("tail", conversation, "--from", "earliest", "-n", "16")
    lines = (await asyncio.to_thread(antiphon, *tail)).stdout.splitlines()
    assigned = [line for line in lines if " turn_assigned " in line]
    assert assigned
    assert all("(tree)" in line for line in assigned)
    assert any(" turn_accepted " in line and " for turn_" in line for line in lines)


async def test_who_joins_in_the_middle_is_shown_the_tree(
    shared_home: Home, address: str, antiphon: Run, worker: WorkerProcess
) -> None:
    """And the end of it: the turn that is joined is the one that somebody asked for."""
    async with shared_home.client(address) as client:
        conversation = (await client.create_conversation()).conversation_id
        await client.dispatch(conversation, "2 2 4000", handler="tree")
        await until(lambda: len(worker.said("begun")) == 3)
        asked = ("chat", "-c", conversation)
        shown = await asyncio.to_thread(lambda: antiphon(*asked, stdin="/quit\n"))
    assert "(leaf leaf)" in shown.stdout, shown
    lines = shown.stderr.splitlines()
    assert lines.count("⚙ tree “2 4000”") == 2
    assert sum(line.startswith("✓ tree “2 4000” · ") for line in lines) == 2


def _proposed(turn_id: str, child: str, message: str) -> Event:
    arguments = json.dumps({"turn_id": child, "message": message})
    proposed = event_pb2.ToolCallProposed(tool="handlers.tree", arguments_json=arguments)
    return Event(turn_id=turn_id, tool_call_proposed=proposed)


def _accepted(turn_id: str, parent: str) -> Event:
    accepted = event_pb2.TurnAccepted(handler="tree", parent_turn_id=parent)
    return Event(turn_id=turn_id, turn_accepted=accepted)


def _grown() -> Told:
    """A root that has a child, which has one."""
    told = Told()
    events = [_proposed(ROOT, CHILD, "2 20"), _accepted(CHILD, ROOT)]
    for event in [*events, _proposed(CHILD, LEAF, "20"), _accepted(LEAF, CHILD)]:
        assert told.take(event) is None
    return told


def test_what_others_do_is_told_of_the_turn_at_the_root() -> None:
    """With how deep they are, and what they were told; when they have ended nothing more is."""
    told = _grown()
    progressed = event_pb2.TurnProgressed(status="waiting for a worker of tree")
    found = told.take(Event(turn_id=LEAF, turn_progressed=progressed))
    assert found is not None
    root, news = found
    assert (root, news.depth, news.message) == (ROOT, 2, "20")
    assert news.sentence == "waiting for a worker of tree"
    ended = Event(turn_id=LEAF)
    ended.turn_finished.state = event_pb2.TURN_STATE_CANCELLED
    assert told.take(ended) is not None
    assert told.take(Event(turn_id=LEAF, turn_progressed=progressed)) is None
    assert told.take(Event(turn_id=ROOT, turn_progressed=progressed)) is None


@pytest.mark.parametrize("arguments", ["", "[]", "null", "{}", '{"turn_id": 7}', "[" * 5000])
def test_calls_that_name_no_turn_are_calls(arguments: str) -> None:
    """A worker may call its own tools what it likes."""
    told = Told()
    call = event_pb2.ToolCallProposed(tool="handlers.tree", arguments_json=arguments)
    assert told.take(Event(turn_id=ROOT, tool_call_proposed=call)) is None
    screen = Screen(io.StringIO(), io.StringIO())
    status = CallStatus(event_pb2.TURN_STATE_RUNNING, "", None, call)
    assert not Trees(screen, whole=False).have_shown(status)


@pytest.mark.parametrize(
    ("news", "shown"),
    [
        (ChildStatus(event_pb2.TURN_STATE_RUNNING, "began"), "⚙ x “a”"),
        (ChildStatus(event_pb2.TURN_STATE_RUNNING, "reading\n\x1b[2J"), "  x “a”: reading  [2J"),
        (ChildStatus(event_pb2.TURN_STATE_SUCCEEDED, took_s=1.26), "✓ x “a” · 1.3 s"),
        (ChildStatus(event_pb2.TURN_STATE_CANCELLED), "✗ stopped: x “a”"),
        (ChildStatus(event_pb2.TURN_STATE_FAILED), "✗ failed: x “a”"),
    ],
)
def test_each_line_says_whose_it_is(news: ChildStatus, shown: str) -> None:
    """Two levels down it is indented; what could move the cursor is seen."""
    notes = io.StringIO()
    told = replace(news, turn_id=LEAF, handler="x", message="a", depth=2)
    Trees(Screen(io.StringIO(), notes), whole=False).show(told)
    assert notes.getvalue() == f"  {shown}\n"


async def test_what_others_are_told_is_no_news() -> None:
    """Nor is that one of them was stopped."""

    async def names(author: str) -> str:
        return author

    paper = io.StringIO()
    news = News(Screen(paper, paper), names)
    answer = Message(message_id="m", role=MESSAGE_ROLE_ASSISTANT, aside=True)
    answer.parts.append(Part(text="leaf"))
    stopped = event_pb2.TurnFinished(state=event_pb2.TURN_STATE_CANCELLED)
    posted = event_pb2.MessagePosted(message=answer)
    news.take(_accepted(CHILD, ROOT))
    news.take(Event(turn_id=CHILD, message_posted=posted))
    news.take(Event(turn_id=CHILD, turn_finished=stopped))
    running = asyncio.create_task(news.run())
    await asyncio.sleep(0)
    running.cancel()
    news.show()
    assert paper.getvalue() == ""


def test_a_line_of_the_log_names_parents_and_workers() -> None:
    """With the turn that it is about."""
    assert f"{CHILD} for {ROOT}" in event_line(_accepted(CHILD, ROOT))
    it = event_pb2.TurnAssigned(worker_id="worker_1", deployment="reviewer", version="2")
    line = event_line(Event(turn_id=CHILD, turn_assigned=it))
    assert f"{CHILD} to worker_1 (reviewer 2)" in line
