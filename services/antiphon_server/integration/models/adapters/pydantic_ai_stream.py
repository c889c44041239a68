"""The side of the provider adapter that imports pydantic-ai; imported when first used."""

import json
from collections.abc import AsyncGenerator, Iterable
from itertools import groupby
from typing import Any

from pydantic_ai import exceptions as failures
from pydantic_ai import messages as wire
from pydantic_ai.direct import model_request_stream
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse, infer_model
from pydantic_ai.providers import infer_provider_class
from pydantic_ai.settings import ModelSettings as RequestSettings
from pydantic_ai.tools import ToolDefinition as WireTool
from pydantic_ai.usage import RequestUsage

from antiphon_server.integration.models.adapters.failures import (
    garbled,
    of_status,
    refused,
    silent,
    unavailable,
    words_of,
)
from antiphon_server.integration.models.adapters.openai_calls import (
    MAX_NAME,
    CallPiece,
    CallPieces,
    Function,
    piece_size,
    size_of,
    whole,
)
from antiphon_server.integration.models.adapters.reported_tokens import reported
from antiphon_server.integration.models.adapters.tool_names import ToolNames
from antiphon_server.integration.models.model import (
    FinishReason,
    ModelEnd,
    ModelStep,
    Prompt,
    PromptMessage,
    ProviderSaid,
    ToolCall,
    ToolCallId,
    ToolDefinition,
    Working,
)
from antiphon_server.integration.models.pricing import Tokens
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason

_NO_CREDENTIALS = 401
_FINISH_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
    "tool_call": FinishReason.TOOL_CALLS,
}


class Provider:
    """One model of the library."""

    def __init__(self, settings: ModelSettings, model: Model[Any]) -> None:
        self._settings = settings
        self._model = model

    async def generate(self, prompt: Prompt) -> AsyncGenerator[ModelStep, None]:
        spoke = False
        names = ToolNames(prompt.tools, prompt.messages)
        bounds = CallPieces()
        try:
            async with self._request(prompt, names) as answer:
                async for event in answer:
                    if piece := _piece_of(event):
                        bounds.add(piece)
                        yield Working(call_bytes=piece_size(piece))
                    elif text := _text_of(event):
                        spoke = True
                        yield text
                    elif (thought := _thought_in(event)) is not None:
                        yield Working(size_of(thought))
                for step in self._ending(answer, names):
                    yield step
        except DomainError:
            raise
        except Exception as error:
            raise self._translated(error, spoke=spoke) from error

    async def close(self) -> None:
        """Close the library's connections."""
        client = getattr(self._model, "client", None)
        if callable(close := getattr(client, "close", None)):
            await close()

    def _request(self, prompt: Prompt, names: ToolNames) -> Any:
        limits = self._settings
        settings = RequestSettings(
            max_tokens=prompt.max_output_tokens,
            timeout=max(limits.first_byte_timeout_s, limits.idle_timeout_s),
            first_event_timeout=limits.first_byte_timeout_s,
            max_retries=0,  # retries are the service's, each in the ledger
        )
        if prompt.temperature is not None:
            settings["temperature"] = prompt.temperature
        return model_request_stream(
            self._model,
            _messages(prompt.messages, names),
            model_settings=settings,
            model_request_parameters=ModelRequestParameters(
                function_tools=[_tool(tool, names) for tool in prompt.tools]
            ),
        )

    def _ending(self, answer: StreamedResponse, names: ToolNames) -> Iterable[ModelStep]:
        """The calls that the answer ends with, each with an id of its own, and its end."""
        if answer.finish_reason is None:
            raise garbled(self._settings.name)
        calls = [it for it in answer.get().parts if isinstance(it, wire.ToolCallPart)]
        for it in calls:
            name = names.known(whole(it.tool_name[:MAX_NAME]))
            yield ToolCall(ToolCallId(new_id("tool")), name, whole(_arguments(it.args)))
        reason = _FINISH_REASONS.get(answer.finish_reason, FinishReason.UNSPECIFIED)
        if calls and reason is not FinishReason.LENGTH:
            reason = FinishReason.TOOL_CALLS
        yield ModelEnd(reason, tokens_of(answer.usage) if answer.usage.has_values() else None)

    def _translated(self, error: Exception, *, spoke: bool) -> DomainError:
        """What went wrong; the provider's words are for operators alone."""
        name, limits = self._settings.name, self._settings
        if isinstance(error, failures.ModelRequestTimeout | failures.ModelTimeoutError):
            return silent(name, limits.idle_timeout_s if spoke else limits.first_byte_timeout_s)
        if isinstance(error, failures.ModelHTTPError):
            wait = "" if error.retry_after is None else str(error.retry_after)
            return of_status(self._settings, error.status_code, wait, _body_of(error))
        said = ProviderSaid(0, words_of(self._settings, str(error)))
        if isinstance(error, failures.ModelRequestRejectedError | failures.UserError):
            return refused(name, said)
        if isinstance(error, failures.ModelAPIError):
            return garbled(name) if spoke else unavailable(name, said=said)
        return garbled(name)


def open_provider(settings: ModelSettings) -> Provider:
    """The library's model of that name, with our key and address if they are given.

    Raises ImportError if the provider's own package is missing, DomainError
    MODEL_NOT_FOUND for an unknown provider, MODEL_REFUSED without credentials.
    """
    given = {"api_key": settings.secret, "base_url": settings.base_url}
    options: dict[str, Any] = {key: value for key, value in given.items() if value}
    try:
        model = infer_model(
            f"{settings.provider}:{settings.model}",
            lambda provider: infer_provider_class(provider)(**options),
        )
    except ValueError as error:
        raise DomainError(Reason.MODEL_NOT_FOUND, model=settings.name) from error
    except failures.UserError as error:
        said = ProviderSaid(_NO_CREDENTIALS, words_of(settings, str(error)))
        raise refused(settings.name, said) from error
    return Provider(settings, model)


def tokens_of(usage: RequestUsage) -> Tokens:
    """The counts: the library has all that models read and thought in those of input and output."""
    return reported(
        usage.input_tokens,
        usage.output_tokens,
        cached=usage.cache_read_tokens,
        cache_write=usage.cache_write_tokens,
        reasoning=usage.output_reasoning_tokens,
        audio_input=usage.input_audio_tokens,
        audio_output=usage.output_audio_tokens,
        cached_audio=usage.cache_audio_read_tokens,
    )


def _body_of(error: failures.ModelHTTPError) -> str:
    """What the provider sent, as text."""
    return error.body if isinstance(error.body, str) else json.dumps(error.body, default=str)


def _tool(tool: ToolDefinition, names: ToolNames) -> WireTool:
    return WireTool(
        name=names.told(tool.name),
        parameters_json_schema=json.loads(tool.schema),
        description=tool.description,
    )


def _messages(messages: tuple[PromptMessage, ...], names: ToolNames) -> list[wire.ModelMessage]:
    """The messages; results that come together are one, as some wires want it."""
    asked = {it.call_id: names.told(it.tool) for message in messages for it in message.calls}
    told: list[wire.ModelMessage] = []
    for answers, group in groupby(messages, key=lambda it: it.answers is not None):
        its = list(group)
        if answers:
            told.append(wire.ModelRequest([_result(it, asked) for it in its]))
        else:
            told += [_message(it, names) for it in its]
    return told


def _result(message: PromptMessage, asked: dict[ToolCallId, str]) -> wire.ToolReturnPart:
    call_id = message.answers or ToolCallId("")
    return wire.ToolReturnPart(asked.get(call_id, "unknown"), message.text, call_id)


def _message(message: PromptMessage, names: ToolNames) -> wire.ModelMessage:
    if message.role == "assistant":
        calls = [
            wire.ToolCallPart(names.told(it.tool), it.arguments, it.call_id) for it in message.calls
        ]
        text = [wire.TextPart(message.text)] if message.text or not calls else []
        return wire.ModelResponse([*text, *calls])
    if message.role == "system":
        return wire.ModelRequest([wire.SystemPromptPart(message.text)])
    return wire.ModelRequest([wire.UserPromptPart(message.text)])


def _arguments(args: object) -> str:
    """As they came; the library's own way would wrap what is garbled into an object."""
    return args or "{}" if isinstance(args, str | None) else json.dumps(args, ensure_ascii=False)


def _piece_of(event: object) -> CallPiece | None:
    """The piece of a call that an event brings."""
    if isinstance(event, wire.PartStartEvent) and isinstance(event.part, wire.ToolCallPart):
        return CallPiece(event.index, None, Function(event.part.tool_name, event.part.args))
    if isinstance(event, wire.PartDeltaEvent) and isinstance(event.delta, wire.ToolCallPartDelta):
        return CallPiece(event.index, None, Function(None, event.delta.args_delta))
    return None


def _thought_in(event: object) -> str | None:
    """What an event brings of thoughts, "" if that is not told; None if it brings none."""
    if isinstance(event, wire.PartStartEvent):
        return event.part.content if isinstance(event.part, wire.ThinkingPart) else None
    delta = event.delta if isinstance(event, wire.PartDeltaEvent) else None
    return (delta.content_delta or "") if isinstance(delta, wire.ThinkingPartDelta) else None


def _text_of(event: object) -> str:
    if isinstance(event, wire.PartStartEvent) and isinstance(event.part, wire.TextPart):
        return event.part.content
    if isinstance(event, wire.PartDeltaEvent) and isinstance(event.delta, wire.TextPartDelta):
        return event.delta.content_delta
    return ""
