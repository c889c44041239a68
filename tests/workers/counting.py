"""Turns of the counter, as its clients see them."""

from antiphon.dispatcher.v1.turn_pb2 import Turn
from antiphon_client import Client
from tests.e2e.until import until_it


async def begun(client: Client, message: str) -> Turn:
    """A turn of the counter, in a conversation of its own."""
    conversation = await client.create_conversation()
    dispatched = await client.dispatch(conversation.conversation_id, message, handler="counter")
    return dispatched.turn


async def ended(client: Client, turn: Turn) -> Turn:
    """The turn when it has ended."""
    now = turn

    async def has_ended() -> bool:
        nonlocal now
        now = await client.get_turn(turn.conversation_id, turn.turn_id)
        return now.HasField("end_time")

    await until_it(has_ended)
    return now


async def says(client: Client, turn: Turn, least: int) -> None:
    """Wait until so many numbers of the answer are stored."""

    async def said() -> bool:
        scope = f"conversations/{turn.conversation_id}"
        events = (await client.read_events(scope)).events
        deltas = [it.text_delta_appended.text for it in events]
        return len("".join(deltas).split()) >= least

    await until_it(said)


def counted(many: int) -> list[str]:
    return [str(number) for number in range(many)]


async def numbers(client: Client, conversation_id: str) -> list[str]:
    """What was said in a conversation by its answers, word by word."""
    messages = [it async for it in client.list_messages(conversation_id)]
    answers = [it for it in messages if it.author.startswith("handlers/")]
    return [word for it in answers for part in it.parts for word in part.text.split()]
