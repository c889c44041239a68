"""A turn, from the question to the whole answer."""

import asyncio

from antiphon_client import Client

TURN_S = 60.0


async def answer(client: Client, question: str = "What is the capital of France?") -> str:
    """What the server's default model says, in a new conversation."""
    conversation = await client.create_conversation()
    async with client.converse(conversation.conversation_id) as talk, asyncio.timeout(TURN_S):
        return (await (await talk.post(question)).result()).text
