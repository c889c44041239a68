"""A conversation of several people, as one of them sees it in a terminal."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from antiphon.events.v1.event_pb2 import TURN_STATE_CANCELLED
from antiphon_client import Client, Password, TurnHandle
from tests.cli.conftest import Home
from tests.cli.terminal import Terminal
from tests.cli.test_chat_terminal import server_of
from tests.cli.test_chat_typing import PASTE
from tests.e2e.until import PATIENCE_S

SECRET = "a long enough secret"
LONG = " ".join(f"w{number}" for number in range(100))  # 2 s of echo


@asynccontextmanager
async def together(home: Home, address: str, title: str) -> AsyncIterator[tuple[str, Client]]:
    """A conversation of the operator, and Anna, who is a member of it."""
    async with home.client(address) as operator:
        where = (await operator.create_conversation(title)).conversation_id
        name = f"anna-{title}"
        anna = await operator.create_user(name, SECRET, display_name="Anna")
        await operator.add_member(where, anna.user_id, "member")
    async with Client.connect(address, Password(name, SECRET)) as client:
        yield where, client


async def ask(client: Client, where: str, text: str, handler: str = "echo") -> TurnHandle:
    async with client.converse(where) as talk:
        turn = await talk.post(text, handler=handler)
        await turn.result()
        return turn


def chat_in(home: Home, where: str, *options: str) -> Terminal:
    return Terminal(["chat", "-c", where, "--handler", "echo", *options], home.environment)


async def test_what_others_say_comes_above_what_is_typed(shared_home: Home, address: str) -> None:
    """With who says it and whom an answer is for; the line that is being typed stays whole."""
    async with together(shared_home, address, "typed") as (where, anna):
        with chat_in(shared_home, where) as chat:
            chat.wait_for(">$")
            chat.type("half a sen")
            chat.wait_for("> half a sen$")
            await anna.post_message(where, "I am here")
            chat.wait_for(r"\nAnna> I am here\n\n> half a sen$")
            await ask(anna, where, "and you?")
            chat.wait_for(r"\nAnna> and you\?\n\nto Anna:\nand you\?\n\n> half a sen$")
            chat.line("tence")
            chat.wait_for(r"> half a sentence\nhalf a sentence\n(.|\n)* s\n\n>$")
            assert chat.seen.count("half a sentence") == 2


async def test_others_are_shown_while_one_s_own_question_waits(
    shared_home: Home, address: str
) -> None:
    """The answer to who asked first comes before one's own, which streams in behind it."""
    async with together(shared_home, address, "waits") as (where, anna):
        with chat_in(shared_home, where) as chat:
            chat.wait_for(">$")
            turn = (await anna.dispatch(where, LONG, handler="echo")).turn
            chat.wait_for("\nAnna> w0 w1")
            chat.line("and me")
            chat.wait_for("waiting for 1 before it")
            chat.wait_for(
                rf"> and me\n\nto Anna's “w0 w1 .*…”:\n{LONG}\n\nto your “and me”:\nand me\n"
                r".* s\n\n>$"
            )
            assert turn.turn_id


async def test_what_is_said_meanwhile_waits_for_the_end_of_an_answer(
    shared_home: Home, address: str
) -> None:
    """An answer's lines, and the one on how it ended, stand together."""
    async with together(shared_home, address, "meanwhile") as (where, anna):
        with chat_in(shared_home, where) as chat:
            chat.wait_for(">$")
            chat.type(PASTE.format(f"first\r\r{LONG}"))
            chat.line("")
            chat.wait_for(r"\nfirst\n\nw0")
            await anna.post_message(where, "I am here")
            chat.wait_for(r"\nfirst\n\nw0 .* w99\n.* s\n\nAnna> I am here\n\n>$")


async def test_a_user_s_own_questions_of_two_terminals_are_told_apart(
    shared_home: Home, address: str
) -> None:
    """Each answer says which it is for, where its question is not what stands above it."""
    async with shared_home.client(address) as operator:
        where = (await operator.create_conversation("two")).conversation_id
        with chat_in(shared_home, where) as one, chat_in(shared_home, where) as other:
            one.wait_for(">$")
            other.wait_for(">$")
            one.line(LONG)
            other.wait_for(r"> w0 w1.* w99\n")
            other.line("and an animal")
            one.wait_for(r" s\n\n> and an animal\nand an animal\n\n>$")
            other.wait_for(
                rf"to your “w0 w1 .*…”:\n{LONG}\n\nto your “and an animal”:\nand an animal\n.* s\n"
            )


async def test_what_is_said_for_others_can_be_stopped(shared_home: Home, address: str) -> None:
    """By members, as the page lets them; and whose it is, is said."""
    async with together(shared_home, address, "stops") as (where, anna):
        with chat_in(shared_home, where) as chat:
            chat.wait_for(">$")
            chat.line("/stop")
            chat.wait_for("Nothing is being said")
            turn = (await anna.dispatch(where, LONG, handler="echo")).turn
            chat.wait_for("Anna> w0")
            chat.line("/stop")
            chat.wait_for("Stopping the answer to Anna's “w0 w1")
            chat.wait_for("stopped or broken off here")
            assert (await anna.get_turn(where, turn.turn_id)).state == TURN_STATE_CANCELLED


async def test_why_others_get_no_answer_is_said(shared_home: Home, address: str) -> None:
    """A turn that ends without a word does not look as if it went on."""
    async with together(shared_home, address, "stopped") as (where, anna):
        with chat_in(shared_home, where) as chat:
            chat.wait_for(">$")
            first = (await anna.dispatch(where, LONG, handler="echo")).turn
            second = (await anna.dispatch(where, "never mind", handler="echo")).turn
            chat.wait_for("Anna> never mind")
            await anna.cancel_turn(where, second.turn_id)
            chat.wait_for("no answer to Anna: stopped")
            await anna.cancel_turn(where, first.turn_id)
            chat.wait_for("to Anna's “w0 w1 .*…”:\nw0(.|\n)*\nstopped or broken off here")


async def test_a_pipe_has_what_others_say_too(shared_home: Home, address: str) -> None:
    """In lines, as they come, while nothing is typed into it."""
    async with together(shared_home, address, "piped") as (where, anna):
        await anna.post_message(where, "I was here")
        chat = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "antiphon_server", "chat", "-c", where),
            env={**os.environ, **shared_home.environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert chat.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            assert await chat.stdout.readline() == b"Anna> I was here\n"
            said = asyncio.create_task(chat.stdout.readline())
            while not said.done():  # it listens a moment after it has shown what there was
                await anna.post_message(where, "I am here")
                await asyncio.wait([said], timeout=0.5)
            assert await said == b"Anna> I am here\n"
            await chat.communicate(b"/quit\n")
        assert chat.returncode == 0


def test_a_server_that_stands_still_is_told_of(home: Home) -> None:
    """Within 2 s or so; when it goes on, so does the answer, whole."""
    with (
        home.server(),
        Terminal(["chat", "--handler", "echo"], home.environment) as chat,
    ):
        chat.wait_for(">$")
        chat.line(LONG)
        chat.wait_for(r"\nw0 w1 w2")
        server = server_of(home)
        server.send_signal(signal.SIGSTOP)
        try:
            chat.wait_for("the server does not answer; waiting for it", timeout=4)
        finally:
            server.send_signal(signal.SIGCONT)
        chat.wait_for(rf"\n{LONG}\n(.|\n)* s\n\n>$")
