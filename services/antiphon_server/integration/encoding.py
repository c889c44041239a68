"""The contract's messages <-> the domain's types."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from antiphon.context.v1 import message_pb2
from antiphon.integration.v1 import integration_service_pb2 as pb
from antiphon.integration.v1 import model_pb2, tool_pb2
from antiphon_server.integration.ledger.model import (
    Money,
    Payer,
    SettledCall,
    Usage,
    UsageFilter,
    WorkspaceId,
)
from antiphon_server.integration.ledger.usage import UsagePage
from antiphon_server.integration.models.catalogue import ConfiguredModel, DescribedModel
from antiphon_server.integration.models.model import (
    AttemptStarted,
    Failure,
    Finished,
    Order,
    Part,
    PartKind,
    Prompt,
    PromptMessage,
    PromptProgress,
    Role,
    Skipped,
    Step,
    ToolCall,
    ToolCallId,
    ToolDefinition,
)
from antiphon_server.integration.models.prompts import RememberedPrompts
from antiphon_server.integration.models.room import Room
from antiphon_server.integration.models.speakers import NOTE, Speakers
from antiphon_server.integration.price_encoding import model_prices
from antiphon_server.runtime.access.principal import asked_for, asked_with
from antiphon_server.runtime.concurrency.breaker import Breaker
from antiphon_server.runtime.errors import invalid
from antiphon_server.runtime.rpc.times import duration, micros_of, timestamp

_KINDS: "dict[PartKind, message_pb2.PartKind.ValueType]" = {
    "text": message_pb2.PART_KIND_TEXT,
    "image": message_pb2.PART_KIND_IMAGE,
    "audio": message_pb2.PART_KIND_AUDIO,
    "file": message_pb2.PART_KIND_FILE,
}
_ROLES: dict[int, Role] = {
    message_pb2.MESSAGE_ROLE_USER: "user",
    message_pb2.MESSAGE_ROLE_ASSISTANT: "assistant",
    message_pb2.MESSAGE_ROLE_SYSTEM: "system",
}


def order(request: pb.GenerateRequest, prompts: RememberedPrompts) -> Order:
    """Decode the order of a generation; the instructions become a message.

    Raises INVALID_ARGUMENT if it asks nothing: callers inside are not validated, and an empty
    prompt would be paid for.
    """
    if not request.messages:
        raise invalid("messages", "at least one")
    history = [message.SerializeToString() for message in request.history]
    said_before = prompts.decoded(request.conversation_id, history)
    asked = prompt_messages(request.messages)
    if request.speakers:
        people = Speakers({it.author: it.display_name for it in request.speakers})
        said_before = _quoted(people, request.history, said_before)
        asked = _quoted(people, request.messages, asked)
    known = tuple([message for message in said_before if message.parts])
    prompt = Prompt(
        asked,
        request.max_output_tokens,
        request.temperature if request.HasField("temperature") else None,
        tuple([_definition(tool) for tool in request.tools]),
    )
    beside = tuple([PromptMessage("user", (Part("text", text),)) for text in request.beside])
    told = known, _instructions(request), beside
    return Order(_payer(request), tuple(request.models), prompt, *told)


def _payer(request: pb.GenerateRequest) -> Payer:
    where = WorkspaceId(request.workspace_id), request.conversation_id, request.turn_id
    return Payer(*where, asked_for(request.user_id), asked_with(request.api_keys))


def _instructions(request: pb.GenerateRequest) -> tuple[PromptMessage, ...]:
    told = [request.instructions, NOTE] if request.speakers else [request.instructions]
    text = "\n\n".join(filter(None, told))
    return (PromptMessage("system", (Part("text", text),)),) if text else ()


def _quoted(
    people: Speakers,
    messages: Iterable[message_pb2.Message | pb.PromptMessage],
    decoded: Iterable[PromptMessage],
) -> tuple[PromptMessage, ...]:
    pairs = zip(messages, decoded, strict=True)
    return tuple([people.quoted(it.author, message) for it, message in pairs])


def remembered_prompts() -> RememberedPrompts:
    """A memory for the histories of prompts."""
    return RememberedPrompts(said)


def prompt_messages(messages: Iterable[pb.PromptMessage]) -> tuple[PromptMessage, ...]:
    """Decode the messages of a prompt.

    Raises INVALID_ARGUMENT for a part of a kind that this version does not know: an answer would
    be given, and paid for, as if it were not there.
    """
    for at, message in enumerate(messages):
        if any(part.WhichOneof("content") is None for part in message.parts):
            raise invalid(f"messages[{at}].parts", "a part is of a kind that is not known here")
    return tuple([_asked_message(message) for message in messages])


def said(encoded: bytes) -> PromptMessage:
    """Decode a message of a conversation for a prompt, with its parts of known kinds."""
    return _prompt_message(message_pb2.Message.FromString(encoded))


def _prompt_message(message: pb.PromptMessage | message_pb2.Message) -> PromptMessage:
    return PromptMessage(
        _ROLES.get(message.role, "user"), tuple(filter(None, map(_part, message.parts)))
    )


def _asked_message(message: pb.PromptMessage) -> PromptMessage:
    """A message of what is asked, which may stand for calls of tools and what came of them."""
    said = _prompt_message(message)
    if message.HasField("tool_result"):
        result = message.tool_result
        parts = tuple(filter(None, map(_part, result.parts)))
        return PromptMessage("user", parts, answers=ToolCallId(result.tool_call_id))
    if message.tool_calls:
        return replace(said, calls=tuple([_call_of(it) for it in message.tool_calls]))
    return said


def _call_of(call: tool_pb2.ToolCall) -> ToolCall:
    return ToolCall(ToolCallId(call.tool_call_id), call.tool, call.arguments_json)


def _definition(tool: tool_pb2.ToolDefinition) -> ToolDefinition:
    return ToolDefinition(tool.name, tool.description, tool.input_schema_json)


def _part(part: message_pb2.Part) -> Part | None:
    kind: PartKind | None = part.WhichOneof("content")
    if kind is None:
        return None
    if kind == "text":
        return Part("text", part.text)
    reference: message_pb2.Reference = getattr(part, kind)
    return Part(kind, reference.uri)


def response(step: Step) -> pb.GenerateResponse:
    """Encode a step of a generation."""
    if isinstance(step, str):
        return pb.GenerateResponse(delta=pb.TextDelta(text=step))
    if isinstance(step, ToolCall):
        return pb.GenerateResponse(tool_call=_asked_call(step))
    if isinstance(step, AttemptStarted):
        return pb.GenerateResponse(attempt=_attempt(step))
    if isinstance(step, PromptProgress):
        return pb.GenerateResponse(progress=_progress(step))
    return pb.GenerateResponse(finished=_finished(step))


def _asked_call(step: ToolCall) -> tool_pb2.ToolCall:
    return tool_pb2.ToolCall(
        tool_call_id=step.call_id, tool=step.tool, arguments_json=step.arguments
    )


def _attempt(step: AttemptStarted) -> pb.AttemptStarted:
    return pb.AttemptStarted(
        call_id=step.call_id,
        model=step.model,
        retry_of=step.retry_of,
        omitted_messages=step.omitted,
        described_parts=step.described,
        skipped=map(_skipped, step.skipped),
        withheld_tools=step.withheld,
        omitted_texts=step.omitted_texts,
    )


def _skipped(it: Skipped) -> model_pb2.SkippedModel:
    return model_pb2.SkippedModel(model=it.model, error_reason=it.reason, lacks=it.lacks)


def _progress(step: PromptProgress) -> pb.PromptProgress:
    return pb.PromptProgress(
        model=step.model, read_tokens=step.read_tokens, total_tokens=step.total_tokens
    )


def _finished(step: Finished) -> pb.GenerateFinished:
    return pb.GenerateFinished(
        model=step.model,
        finish_reason=model_pb2.FinishReason.ValueType(step.reason),
        usage=_usage(step.usage),
        output_limit=step.output_limit,
    )


def model(it: DescribedModel, default: str, *, to_operator: bool) -> model_pb2.Model:
    """Encode a model; ``default`` is the default's name, what providers said is for operators."""
    one = it.model
    described = model_pb2.Model(
        name=one.name,
        provider=one.settings.provider,
        context_tokens=it.context_tokens,
        default=one.name == default,
        missing=one.missing,
        accepts=_accepts(one),
        max_prompt_tokens=it.room.prompt,
        max_output_tokens=it.room.output,
        takes_tools=one.settings.tools,
    )
    _put_breaker(described, one.breaker)
    if one.last_failure is not None:
        described.last_failure.CopyFrom(_failure(one.last_failure, to_operator))
    if it.prices is not None:
        into, out = it.prices.rates.input, it.prices.rates.output
        described.input_price.CopyFrom(_money(Money(it.prices.currency, into)))
        described.output_price.CopyFrom(_money(Money(it.prices.currency, out)))
        described.prices.extend(model_prices(it.prices))
    return described


def _put_breaker(described: model_pb2.Model, breaker: Breaker) -> None:
    described.breaker = model_pb2.BreakerState.ValueType(breaker.state)
    described.breaker_since_time.CopyFrom(timestamp(breaker.since_us))
    described.breaker_by_hand = breaker.by_hand
    if retry_after_s := breaker.retry_after_s:
        described.retry_after.CopyFrom(duration(retry_after_s))


def _failure(it: Failure, to_operator: bool) -> model_pb2.ModelFailure:
    failure = model_pb2.ModelFailure(error_reason=it.reason, time=timestamp(it.time_us))
    if to_operator:
        failure.provider_status, failure.provider_message = it.said.status, it.said.words
    return failure


def plan_response(rooms: Sequence[tuple[ConfiguredModel, Room]]) -> pb.PlanPromptResponse:
    """Encode what a prompt to the models may hold."""
    return pb.PlanPromptResponse(
        max_prompt_tokens=max(it.counting.in_four_bytes(room.prompt) for it, room in rooms),
        models=[pb.PlannedModel(name=it.name, accepts=_accepts(it)) for it, _ in rooms],
    )


def _accepts(model: ConfiguredModel) -> "list[message_pb2.PartKind.ValueType]":
    return [kind for name, kind in _KINDS.items() if name in model.settings.accepts]


def turn_payer(request: pb.GetBudgetLeftRequest) -> Payer:
    """Who pays for a turn's calls."""
    where = WorkspaceId(request.workspace_id), request.conversation_id, request.turn_id
    return Payer(*where, request.user_id, tuple(request.api_keys))


def lost_payer(request: pb.ReportLostAnswerRequest) -> Payer:
    """Decode for which turn the calls were made that nobody has settled."""
    workspace_id = WorkspaceId(request.workspace_id)
    return Payer(workspace_id, request.conversation_id, request.turn_id)


def usage_filter(request: pb.GetUsageRequest) -> UsageFilter:
    """Decode which calls a GetUsageRequest selects. Raises INVALID_ARGUMENT for an invalid time."""
    unset = UsageFilter(
        WorkspaceId(request.workspace_id),
        turn_id=request.turn_id,
        conversation_id=request.conversation_id,
    )
    return replace(
        unset,
        start_us=_or(micros_of(request, "start_time"), unset.start_us),
        end_us=_or(micros_of(request, "end_time"), unset.end_us),
    )


def usage_response(page: UsagePage, *, to_operator: bool) -> pb.GetUsageResponse:
    """Encode a page of the ledger; what providers said of their failures is for operators."""
    return pb.GetUsageResponse(
        total=_usage(page.total),
        calls=[_call(call, to_operator) for call in page.calls],
        next_page_token=page.next_page_token,
    )


def _call(call: SettledCall, to_operator: bool) -> model_pb2.ModelCall:
    settled = call.settlement
    message = model_pb2.ModelCall(
        call_id=call.call_id,
        workspace_id=call.payer.workspace_id,
        conversation_id=call.payer.conversation_id,
        turn_id=call.payer.turn_id,
        model=call.target,
        outcome=model_pb2.AttemptOutcome.ValueType(settled.outcome),
        usage=_usage(settled.usage),
        duration_ms=settled.duration_ms,
        error_reason=settled.error_reason,
        kind=model_pb2.CallKind.ValueType(call.kind),
    )
    message.start_time.FromMicroseconds(call.start_us)
    if to_operator:
        message.provider_status = settled.provider_status
        message.provider_message = settled.provider_message
    return message


def _usage(usage: Usage) -> model_pb2.Usage:
    return model_pb2.Usage(
        estimated=usage.estimated,
        cost=None if usage.cost is None else _money(usage.cost),
        **usage.quantities._asdict(),
    )


def _money(money: Money) -> model_pb2.Money:
    return model_pb2.Money(currency=money.currency, micros=money.micros)


def _or(given: int | None, default: int) -> int:
    return default if given is None else given
