"""``antiphon handoffs``: the queue of turns that wait for people."""

import asyncio
import json
from typing import Any

import pytest

from antiphon.events.v1.event_pb2 import TURN_STATE_SUCCEEDED
from antiphon_server.cli.handoffs.showing import changes
from tests.cli.conftest import Home, Run
from tests.e2e.until import PATIENCE_S, until_it

_ASK = ("handoffs", "ask")


def _waiting(antiphon: Run, text: str = "May I have a refund?") -> str:
    """The id of a hand-off that a chat leaves waiting."""
    chat = antiphon("chat", "--once", text, "--handler", "people", "--json")
    assert chat.returncode == 3, chat.stderr
    left = json.loads(chat.stdout.splitlines()[-1])
    assert left["state"] == "waiting"
    return str(left["handoff"]["handoff_id"])


def _queue(antiphon: Run) -> list[dict[str, Any]]:
    listed = antiphon("handoffs", "--json")
    assert listed.returncode == 0, listed.stderr
    return [json.loads(line) for line in listed.stdout.splitlines()]


def test_one_is_seen_claimed_and_answered(antiphon: Run) -> None:
    """Nobody needs more than the id that the list shows."""
    which = _waiting(antiphon)
    listed = antiphon("handoffs")
    assert which in listed.stdout
    assert "nobody" in listed.stdout
    assert which in {it["handoff"]["handoff_id"] for it in _queue(antiphon)}
    shown = antiphon("handoffs", "show", which)
    assert "May I have a refund?" in shown.stdout
    assert "then: the turn fails" in shown.stdout
    claimed = antiphon("handoffs", "claim", which, "--json")
    assert json.loads(claimed.stdout)["claimed_by"].startswith("users/")
    assert antiphon("handoffs", "release", which).returncode == 0
    answered = antiphon("handoffs", "answer", which, "You may.", "--json")
    turn = json.loads(answered.stdout)
    assert turn["state"] == "TURN_STATE_SUCCEEDED"
    assert turn["answered_by"].startswith("users/")
    again = antiphon("handoffs", "answer", which, "You may.")
    assert again.returncode == 1
    assert "no such hand-off waits" in again.stderr


@pytest.mark.parametrize(
    ("command", "state"),
    [(("decline", "--note", "no"), "FAILED"), (("return", "--handler", "people"), "RUNNING")],
)
def test_one_is_declined_or_returned(antiphon: Run, command: tuple[str, ...], state: str) -> None:
    which = _waiting(antiphon)
    verb, *more = command
    done = antiphon("handoffs", verb, which, *more, "--json")
    assert json.loads(done.stdout)["state"] == f"TURN_STATE_{state}", done.stderr


async def test_a_running_turn_is_asked_for(antiphon: Run, shared_home: Home, address: str) -> None:
    """What was declared is said in time, though nobody had to type it."""
    async with shared_home.client(address) as client:
        where = (await client.create_conversation()).conversation_id
        turn = (await client.dispatch(where, "word " * 400, handler="echo")).turn.turn_id
        more = ("--within", "1s", "--then-say", "Closed.")
        asked = await asyncio.to_thread(antiphon, "handoffs", "ask", where, turn, *more)
        assert asked.returncode == 0, asked.stderr
        wrong = await asyncio.to_thread(antiphon, *_ASK, where, turn, "--within", "soon")
        assert wrong.returncode == 2

        async def ended() -> bool:
            return (await client.get_turn(where, turn)).state == TURN_STATE_SUCCEEDED

        await until_it(ended)


async def test_a_list_that_is_watched_tells_what_changes(
    antiphon: Run, shared_home: Home, address: str
) -> None:
    async with shared_home.client(address) as client:
        made = await client.create_conversation()
        news = changes(client, made.workspace_id)
        coming = asyncio.ensure_future(anext(news))
        await asyncio.sleep(0.5)
        await client.dispatch(made.conversation_id, "hello", handler="people")
        async with asyncio.timeout(PATIENCE_S):
            await coming
        await news.aclose()


def test_nobody_waits(antiphon: Run) -> None:
    assert antiphon("chat", "--once", "hello", "--handler", "echo").returncode == 0
    for it in _queue(antiphon):
        antiphon("handoffs", "decline", it["handoff"]["handoff_id"])
    listed = antiphon("handoffs")
    assert (listed.returncode, listed.stdout) == (0, "")
