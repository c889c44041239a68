"""Asks a question and prints the answer as it comes: converse.py [--cut-after N] QUESTION.

ANTIPHON_ADDRESS is the server; ANTIPHON_API_KEY, or ANTIPHON_NAME and ANTIPHON_PASSWORD, sign in.
--cut-after breaks the connection after N pieces of the answer, to show that nothing comes of it.
Ctrl-C stops the answer.
"""

import argparse
import asyncio
import os
import signal
import sys
import uuid

from failures import Failure
from place import GapError
from session import CALL_S, Credential, Session, dial, repeated
from stubs.antiphon.auth.v1 import ApiKeyCredential, PasswordCredential
from stubs.antiphon.context.v1 import ContextServiceStub, CreateConversationRequest
from stubs.antiphon.events.v1 import TurnState
from talk import Talk


async def main(question: str, cut_after: int) -> int:
    """Ask, and return the exit code."""
    session = Session(os.environ.get("ANTIPHON_ADDRESS", "localhost:7450"), credential())
    talk: Talk
    pieces = 0

    def on_text(text: str) -> None:
        nonlocal pieces
        print(text, end="", flush=True)
        pieces += 1
        if pieces == cut_after:
            talk.cut()

    def on_lost(failure: Failure) -> None:
        print(f"\n[{failure}; resuming after event {talk.place.offset}]", file=sys.stderr)

    talk = Talk(session, await create_conversation(session), question, on_text, on_lost)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop_once, loop, talk)
    state = await talk.answer()
    print()
    offsets = f"events {talk.place.first}-{talk.place.offset}"
    how = f"TURN_STATE_{state.name}: {offsets}, connections {talk.connections}"
    print(talk.conversation_id, talk.turn_id, how, file=sys.stderr)
    return 0 if state is TurnState.SUCCEEDED else 1


def stop_once(loop: asyncio.AbstractEventLoop, talk: Talk) -> None:
    """The first Ctrl-C stops the turn; the second one ends the program."""
    loop.remove_signal_handler(signal.SIGINT)
    talk.stop()


async def create_conversation(session: Session) -> str:
    """May be repeated: the same request id is answered with the same conversation."""
    metadata = await session.metadata()
    request = CreateConversationRequest(title="From dataclasses", request_id=str(uuid.uuid4()))
    async with dial(session.address) as channel:
        context = ContextServiceStub(channel)
        answer = await repeated(
            lambda: context.create_conversation(request, metadata=metadata, timeout=CALL_S)
        )
    assert answer.conversation is not None
    return answer.conversation.conversation_id


def credential() -> Credential:
    """What the environment holds to sign in with."""
    if key := os.environ.get("ANTIPHON_API_KEY"):
        return ApiKeyCredential(api_key=key)
    name, password = os.environ["ANTIPHON_NAME"], os.environ["ANTIPHON_PASSWORD"]
    return PasswordCredential(name=name, password=password)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("question")
    parser.add_argument("--cut-after", type=int, default=0)
    arguments = parser.parse_args()
    try:
        sys.exit(asyncio.run(main(arguments.question, arguments.cut_after)))
    except (Failure, GapError) as error:
        sys.exit(str(error))
