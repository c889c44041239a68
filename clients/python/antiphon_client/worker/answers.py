"""Answers of models, for a turn."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from antiphon.context.v1.message_pb2 import MESSAGE_ROLE_USER, Message, Part
from antiphon.integration.v1.integration_service_pb2 import (
    GenerateFinished,
    GenerateRequest,
    PromptMessage,
)
from antiphon_client.client import Client
from antiphon_client.worker.turns import Turn

CONTEXT_TOKENS = 32_000
"""How much of a conversation is read; models are asked without the oldest that do not fit."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask models; what is empty is the conversation's or the turn's.

    ``prompt`` takes the place of the turn's message; without ``history`` nothing of the
    conversation is told.
    """

    prompt: str = ""
    instructions: str = ""
    history: bool = True
    models: Sequence[str] = ()
    max_output_tokens: int = 0
    temperature: float | None = None


async def answer(
    client: Client, turn: Turn, question: Question, finished: Callable[[GenerateFinished], None]
) -> AsyncGenerator[str]:
    """A model's answer as it comes. ``finished`` is told what it has consumed."""
    request = await _request(client, turn, question)
    async with aclosing(client.generate(request)) as steps:
        async for step in steps:
            if step.HasField("delta"):
                yield step.delta.text
            elif step.HasField("finished"):
                finished(step.finished)


async def _request(client: Client, turn: Turn, question: Question) -> GenerateRequest:
    assign = turn.assign
    request = GenerateRequest(
        workspace_id=assign.workspace_id,
        conversation_id=assign.conversation_id,
        models=question.models or assign.models,
        instructions=question.instructions,
        max_output_tokens=question.max_output_tokens or assign.max_output_tokens,
        temperature=question.temperature,
    )
    if question.history:
        await _tell(request, client, turn)
    if question.prompt or not request.messages:
        parts = [Part(text=question.prompt)] if question.prompt else assign.parts
        del request.messages[:]
        request.messages.add(role=MESSAGE_ROLE_USER, parts=parts)
    return request


async def _tell(request: GenerateRequest, client: Client, turn: Turn) -> None:
    """What was said in the conversation up to the turn's message, which comes last."""
    assign = turn.assign
    context = await client.get_context(
        assign.conversation_id, max_tokens=CONTEXT_TOKENS, message_id=assign.message_id
    )
    request.instructions = request.instructions or context.instructions
    request.speakers.extend(context.speakers)
    before = [it for it in context.messages if it.message_id != assign.message_id]
    request.history.extend(before)
    request.messages.extend(
        _prompt(it) for it in context.messages if it.message_id == assign.message_id
    )


def _prompt(message: Message) -> PromptMessage:
    return PromptMessage(role=message.role, parts=message.parts, author=message.author)
