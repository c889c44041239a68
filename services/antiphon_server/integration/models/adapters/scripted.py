"""A model that says what it was told to: for tests and benchmarks."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from itertools import takewhile

from antiphon_server.integration.models.model import (
    FinishReason,
    ModelEnd,
    ModelStep,
    Prompt,
    PromptMessage,
    ToolCall,
    ToolCallId,
    ToolDefinition,
)
from antiphon_server.integration.models.pricing import Prices, Tokens
from antiphon_server.integration.models.settings import ModelSettings, ScriptedCall
from antiphon_server.integration.models.tokens import tokens_of_prompt
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason


class ScriptedModel:
    """A deterministic backend.

    ``scripted/echo`` repeats the last user's text word by word, or says what ``script.answers``
    has for it, or asks for the calls that ``script.calls`` has for it; what came of calls it
    repeats. ``scripted/count``
    counts from 1 to ``script.deltas``. Both stop at the prompt's token limit, with
    a token a delta, and are free.
    """

    counts = False

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._script = settings.script

    async def generate(self, prompt: Prompt) -> AsyncGenerator[ModelStep, None]:
        script, sent, reason = self._script, 0, FinishReason.STOP
        for text in self._texts(prompt):
            if sent == prompt.max_output_tokens:
                reason = FinishReason.LENGTH
                break
            self._fail_if_told(sent)
            await asyncio.sleep(script.gap_ms / 1000)
            sent += 1
            yield text
        self._fail_if_told(sent)
        for call in self._calls(prompt):
            reason = FinishReason.TOOL_CALLS
            yield ToolCall(ToolCallId(new_id("tool")), call.tool, call.arguments)
        yield ModelEnd(reason, Tokens(tokens_of_prompt(prompt.messages), sent))

    async def count(
        self, messages: Sequence[PromptMessage], tools: Sequence[ToolDefinition] = ()
    ) -> int | None:
        return None

    def missing(self) -> str:
        return ""

    async def context_tokens(self) -> int:
        """See :meth:`ModelBackend.context_tokens`; only its settings know."""
        return 0

    async def prices(self) -> Prices | None:
        return self._settings.prices

    async def close(self) -> None:
        """See :meth:`ModelBackend.close`."""

    def _calls(self, prompt: Prompt) -> Sequence[ScriptedCall]:
        """The calls that a question asks for, once, and only of tools that it has."""
        last = prompt.messages[-1]
        if last.answers is not None:
            return ()
        known = {tool.name for tool in prompt.tools}
        return [call for call in self._script.calls.get(last.text, ()) if call.tool in known]

    def _texts(self, prompt: Prompt) -> Iterable[str]:
        if self._calls(prompt):
            return ()
        if prompt.messages[-1].answers is not None:
            return ["; ".join(_results(prompt.messages))]
        if self._settings.model == "echo":
            said = [message.text for message in prompt.messages if message.role == "user"]
            answers = self._script.answers
            words = answers.get(said[-1], said[-1]).split(" ") if said else []
            return [f"{' ' if at else ''}{word}" for at, word in enumerate(words) if at or word]
        return (f"{' ' if at else ''}{at + 1}" for at in range(self._script.deltas))

    def _fail_if_told(self, sent: int) -> None:
        if sent == self._script.fail_after:
            raise DomainError(Reason(self._script.fail_reason), model=self._settings.name)


def _results(messages: Sequence[PromptMessage]) -> Iterable[str]:
    """What came of the calls that were made last."""
    newest = takewhile(lambda it: it.answers is not None, reversed(messages))
    return reversed([message.text for message in newest])
