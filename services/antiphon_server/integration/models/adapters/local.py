"""The local small model: a llama.cpp server of ours, spoken to on the OpenAI wire."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TypeVar

import msgspec
from msgspec import structs

from antiphon_server.integration.models.adapters.failures import garbled, unavailable
from antiphon_server.integration.models.adapters.gguf import missing_gguf
from antiphon_server.integration.models.adapters.llama_server import Address, LlamaServer
from antiphon_server.integration.models.adapters.openai_request import (
    LlamaOptions,
    encode_messages,
)
from antiphon_server.integration.models.adapters.openai_wire import OpenAIModel
from antiphon_server.integration.models.adapters.told_tools import (
    grammar,
    in_words,
)
from antiphon_server.integration.models.adapters.tool_names import ToolNames
from antiphon_server.integration.models.adapters.written_calls import with_calls
from antiphon_server.integration.models.model import (
    ModelStep,
    Part,
    Prompt,
    PromptMessage,
    PromptProgress,
    ToolDefinition,
)
from antiphon_server.integration.models.pricing import Prices
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.runtime.configuration import Secret
from antiphon_server.runtime.net.http_pool import HttpPool

# Without any instructions a model of this size answers in verse, in French. Told only to help it
# wavers between languages at the first word, and what else is in its batch decides.
_INSTRUCTIONS = PromptMessage(
    "system", (Part("text", "You are a helpful assistant. Answer in simple English."),)
)
PROGRESS_EVERY_S = 1.0
_REPEATS = 64  # a call repeats names of the prompt, an answer what a tool has said, such as a UUID
_DEFAULT_CONTEXT = 8192  # what SmolLM2 was trained on

_T = TypeVar("_T")


class _Pace:
    """Lets something through once in ``every_s`` seconds, and nothing before that."""

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._next = time.monotonic() + every_s

    def due(self) -> bool:
        """Whether it is time again."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self._every_s
        return True


class _Rendered(msgspec.Struct):
    prompt: str


class _Tokenized(msgspec.Struct):
    tokens: list[int]


class LocalModel:
    """A :class:`~antiphon_server.integration.models.ports.ModelBackend` that runs here, free."""

    counts = True

    def __init__(
        self,
        settings: ModelSettings,
        pool: HttpPool,
        progress_every_s: float = PROGRESS_EVERY_S,
    ) -> None:
        self._settings = settings
        self._progress_every_s = progress_every_s
        self._pool = pool
        self._wire: tuple[Address, OpenAIModel] | None = None
        context_tokens = settings.context_tokens or _DEFAULT_CONTEXT
        answers = settings.places.calls
        self._server = LlamaServer(settings.name, settings.gguf, context_tokens, answers)

    async def generate(self, prompt: Prompt) -> AsyncGenerator[ModelStep, None]:
        """See :meth:`ModelBackend.generate`; the first call starts the process."""
        wire = self._wire_to(await self._server.address())
        whole = replace(prompt, messages=_instructed(prompt.messages))
        pace = _Pace(self._progress_every_s)
        async with aclosing(_asked(wire, whole)) as steps:
            async for step in steps:
                if not isinstance(step, PromptProgress) or pace.due():
                    yield step

    async def count(
        self, messages: Sequence[PromptMessage], tools: Sequence[ToolDefinition] = ()
    ) -> int | None:
        """See :meth:`ModelBackend.count`: by the model's own template and tokenizer."""
        names = ToolNames(tools, messages)
        told = in_words(Prompt(_instructed(tuple(messages)), tools=tuple(tools)), names)
        whole = encode_messages(told.messages, names)
        prompt = await self._ask("apply-template", {"messages": whole}, _Rendered)
        question = {"content": prompt.prompt, "parse_special": True}
        return len((await self._ask("tokenize", question, _Tokenized)).tokens)

    def missing(self) -> str:
        return missing_gguf(self._settings.gguf)

    async def context_tokens(self) -> int:
        """See :meth:`ModelBackend.context_tokens`; only its settings know."""
        return 0

    async def prices(self) -> Prices | None:
        return self._settings.prices

    async def close(self) -> None:
        """See :meth:`ModelBackend.close`: stops the process."""
        await self._server.close()

    def _wire_to(self, address: Address) -> OpenAIModel:
        if self._wire is None or self._wire[0] is not address:
            settings = structs.replace(
                self._settings, base_url=f"{address.url}/v1", api_key=Secret(address.key)
            )
            # llama.cpp ends its connections after a stream, and one here costs nothing.
            model = OpenAIModel(settings, self._pool, keep_alive=False)
            self._wire = (address, model)
        return self._wire[1]

    async def _ask(self, path: str, question: dict[str, object], answer: type[_T]) -> _T:
        """One of llama.cpp's own calls. Raises DomainError MODEL_UNAVAILABLE, MODEL_PROTOCOL."""
        address = await self._server.address()
        session = await self._pool.session()
        import aiohttp

        try:
            async with (
                asyncio.timeout(self._settings.first_byte_timeout_s),
                session.post(
                    f"{address.url}/{path}",
                    data=msgspec.json.encode(question),
                    headers={"Authorization": f"Bearer {address.key}"},
                ) as response,
            ):
                return msgspec.json.decode(await response.read(), type=answer)
        except msgspec.MsgspecError as error:
            raise garbled(self._settings.name) from error
        except (aiohttp.ClientError, OSError) as error:
            raise unavailable(self._settings.name) from error


def _asked(wire: OpenAIModel, prompt: Prompt) -> AsyncGenerator[ModelStep, None]:
    """The steps of the answer; where the prompt has tools, with calls of them."""
    names = ToolNames(prompt.tools, prompt.messages)
    told = [names.told(it.name) for it in prompt.tools]
    options = LlamaOptions(return_progress=True)
    if not told:
        return wire.generate(in_words(prompt, names), options)
    bound = structs.replace(options, grammar=grammar(told), dry_allowed_length=_REPEATS)
    return with_calls(wire.generate(in_words(prompt, names), bound), names, told)


def _instructed(messages: tuple[PromptMessage, ...]) -> tuple[PromptMessage, ...]:
    """The messages, with instructions before them if there are none."""
    has_some = messages and messages[0].role == "system"
    return messages if has_some else (_INSTRUCTIONS, *messages)
