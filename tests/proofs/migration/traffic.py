"""Conversations with messages and turns, made by calls as clients make them."""

import asyncio

from antiphon_client import Client
from tests.e2e.until import PATIENCE_S
from tests.proofs.robustness.history import state_name

AT_ONCE = 32
LOOK_S = 0.05


async def fill(client: Client, conversations: int, messages: int, turns: int) -> None:
    """So many conversations, of which each has so many messages and turns besides."""
    busy = asyncio.Semaphore(AT_ONCE)

    async def talk(number: int) -> None:
        async with busy:
            made = await client.create_conversation(title=f"Number {number} ∞")
            name = made.conversation_id
            for at in range(messages):
                await client.post_message(name, f"{at}: ünïcode \U0001f600 " + "x" * (at % 500))
            for at in range(turns):
                await _turn(client, name, f"Question {at}")

    async with asyncio.TaskGroup() as talking:
        for number in range(conversations):
            talking.create_task(talk(number))


async def _turn(client: Client, conversation_id: str, text: str) -> None:
    turn_id = (await client.dispatch(conversation_id, text)).turn.turn_id
    async with asyncio.timeout(PATIENCE_S):
        while True:
            turn = await client.get_turn(conversation_id, turn_id)
            if state_name(turn.state) == "SUCCEEDED":
                return
            await asyncio.sleep(LOOK_S)
