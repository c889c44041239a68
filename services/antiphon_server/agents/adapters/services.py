"""Prompts and models, through the services that own them."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from antiphon.context.v1 import context_service_pb2, message_pb2
from antiphon.integration.v1 import integration_service_pb2, model_pb2, tool_pb2
from antiphon_server.agents.adapters.beside import BesideMessages
from antiphon_server.agents.adapters.plans import Plans
from antiphon_server.agents.adapters.tools import definition, round_messages
from antiphon_server.agents.ports import AskedTool, PlannedTool, Round
from antiphon_server.dispatcher.handling import (
    COUNTED,
    LeftOut,
    Order,
    SkippedModel,
    ToolCallId,
    Turn,
    TurnId,
    Usage,
)
from antiphon_server.runtime.errors.wire import remote_errors

if TYPE_CHECKING:  # these exist for the type checker alone
    from antiphon.context.v1.context_service_pb2_grpc import ContextServiceAsyncStub
    from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceAsyncStub

TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class ContextPrompt:
    """What a model should see; a :class:`~antiphon_server.agents.ports.Prompt`.

    ``beside`` are texts that stand in front of the last message, those first that matter most.
    """

    instructions: str
    messages: Sequence[message_pb2.Message]
    omitted: int = 0
    speakers: Sequence[message_pb2.Speaker] = ()
    tools: Sequence[str] = ()
    beside: Sequence[str] = ()


class ContextWindow:
    """See :class:`~antiphon_server.agents.ports.Window`; with what stands beside the messages."""

    def __init__(
        self, context: "ContextServiceAsyncStub", beside: BesideMessages | None = None
    ) -> None:
        self._context = context
        self._beside = beside

    async def prompt(self, turn: Turn, max_tokens: int, without: set[TurnId]) -> ContextPrompt:
        shown = await self._newest(turn, max_tokens)
        texts: Sequence[str] = ()
        if self._beside is not None:
            beside = await self._beside.of(turn, max_tokens, shown)
            texts = beside.texts
            if beside.HasField("context"):  # the oldest have made room
                shown = beside.context
        return ContextPrompt(
            shown.instructions,
            _chosen(shown.messages, turn, without),
            shown.omitted_messages,
            shown.speakers,
            shown.tools,
            texts,
        )

    async def _newest(self, turn: Turn, max_tokens: int) -> context_service_pb2.GetContextResponse:
        request = context_service_pb2.GetContextRequest(
            conversation_id=turn.conversation_id, max_tokens=max_tokens, message_id=turn.message_id
        )
        with remote_errors("context"):
            return await self._context.GetContext(request, timeout=TIMEOUT_S)


def _chosen(
    messages: Sequence[message_pb2.Message], turn: Turn, without: set[TurnId]
) -> Sequence[message_pb2.Message]:
    asides = any(message.aside for message in messages)  # by a service of the version before
    if not without and not asides and messages[-1].message_id == turn.message_id:
        return messages
    own = turn.message_id
    seen = [
        it
        for it in messages
        if it.message_id == own or (it.turn_id not in without and not it.aside)
    ]
    seen.sort(key=lambda message: message.message_id == turn.message_id)
    return seen


def _prompt_message(message: message_pb2.Message) -> integration_service_pb2.PromptMessage:
    return integration_service_pb2.PromptMessage(
        role=message.role, parts=message.parts, author=message.author
    )


@dataclass(frozen=True, slots=True)
class ModelReply:
    """See :class:`~antiphon_server.agents.ports.Reply`."""

    text: str = ""
    status: str = ""
    fraction: float | None = None
    usage: Usage | None = None
    model: str = ""
    finish_reason: int = 0
    output_limit: int = 0
    left_out: LeftOut | None = None
    call: AskedTool | None = None


class IntegrationModels:
    """See :class:`~antiphon_server.agents.ports.Models`."""

    def __init__(self, integration: "IntegrationServiceAsyncStub") -> None:
        self._integration = integration
        self._plans = Plans(integration)

    async def budget(self, order: Order) -> int:
        return await self._plans.budget(order)

    async def generate(
        self,
        turn: Turn,
        prompt: ContextPrompt,
        tools: Sequence[PlannedTool] = (),
        rounds: Sequence[Round] = (),
    ) -> AsyncGenerator[ModelReply, None]:
        request = integration_service_pb2.GenerateRequest(
            workspace_id=turn.workspace_id,
            conversation_id=turn.conversation_id,
            turn_id=turn.turn_id,
            user_id=turn.user_id,
            api_keys=turn.api_keys,
            models=turn.order.models,
            instructions=prompt.instructions,
            history=prompt.messages[:-1],
            messages=[
                *map(_prompt_message, prompt.messages[-1:]),
                *(message for it in rounds for message in round_messages(it)),
            ],
            tools=map(definition, tools),
            max_output_tokens=turn.order.max_output_tokens,
            speakers=prompt.speakers,
            beside=prompt.beside,
        )
        call = self._integration.Generate(request, timeout=turn.order.time_limit_s)
        try:
            with remote_errors("integration"):
                async for response in call:
                    yield _reply(response)
        finally:
            call.cancel()

    async def lost(self, turn: Turn, text_bytes: int) -> None:
        request = integration_service_pb2.ReportLostAnswerRequest(
            workspace_id=turn.workspace_id,
            conversation_id=turn.conversation_id,
            turn_id=turn.turn_id,
            text_bytes=text_bytes,
        )
        request.turn_create_time.FromMicroseconds(turn.created_us)
        with remote_errors("integration"):
            await self._integration.ReportLostAnswer(request, timeout=TIMEOUT_S)


def _reply(response: integration_service_pb2.GenerateResponse) -> ModelReply:
    match response.WhichOneof("step"):
        case "delta":
            return ModelReply(text=response.delta.text)
        case "attempt":
            return _asking(response.attempt)
        case "progress":
            return _reading(response.progress)
        case "tool_call":
            return ModelReply(call=_asked(response.tool_call))
        case "finished":
            return _finished(response.finished)
        case None:  # a newer server's
            return ModelReply()


def _asked(call: tool_pb2.ToolCall) -> AskedTool:
    return AskedTool(ToolCallId(call.tool_call_id), call.tool, call.arguments_json)


def _asking(attempt: integration_service_pb2.AttemptStarted) -> ModelReply:
    skipped = [SkippedModel(it.model, it.error_reason, it.lacks) for it in attempt.skipped]
    left_out = LeftOut(
        attempt.omitted_messages,
        attempt.described_parts,
        attempt.withheld_tools,
        tuple(skipped),
        attempt.omitted_texts,
    )
    return ModelReply(status=_status(attempt), left_out=left_out)


def _finished(done: integration_service_pb2.GenerateFinished) -> ModelReply:
    return ModelReply(
        usage=_usage(done.usage),
        model=done.model,
        finish_reason=done.finish_reason,
        output_limit=done.output_limit,
    )


def _usage(message: model_pb2.Usage) -> Usage:
    counts: dict[str, Any] = {name: getattr(message, name) for name in COUNTED}
    return Usage(
        estimated=message.estimated,
        currency=message.cost.currency or "USD",
        cost_micros=message.cost.micros if message.HasField("cost") else None,
        **counts,
    )


def _reading(progress: integration_service_pb2.PromptProgress) -> ModelReply:
    status = f"{progress.model} is reading {progress.total_tokens:,} tokens"
    return ModelReply(status=status, fraction=progress.read_tokens / max(progress.total_tokens, 1))


def _status(attempt: integration_service_pb2.AttemptStarted) -> str:
    without = " without tools" if attempt.withheld_tools else ""
    return f"asking {attempt.model}{without}{_why(attempt)}"


def _why(attempt: integration_service_pb2.AttemptStarted) -> str:
    """Why not the one before; the reasons of models are told without saying so each time."""
    if attempt.retry_of:
        # Of a model, though the reason is everybody's.
        why = "MODEL_OVERLOADED" if attempt.retry_of == "OVERLOADED" else attempt.retry_of
        return f" after {why.lower().replace('_', ' ')}"
    if not attempt.skipped:
        return ""
    skipped = attempt.skipped[-1]
    if skipped.lacks:
        return f", since {skipped.model} takes no {skipped.lacks}"
    return f", since this is too long for {skipped.model}"
