"""Any model on the OpenAI wire (OpenAI, vLLM, Ollama, llama.cpp and most others).

This is the hot path: aiohttp and msgspec alone, no SDK.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from antiphon_server.integration.models.adapters.failures import (
    garbled,
    of_status,
    report,
    silent,
    unavailable,
    words_of,
)
from antiphon_server.integration.models.adapters.missing import missing_key
from antiphon_server.integration.models.adapters.openai_request import (
    LlamaOptions,
    encode_request,
)
from antiphon_server.integration.models.adapters.openai_stream import (
    AnswerParser,
    Malformed,
    ProviderFault,
)
from antiphon_server.integration.models.adapters.patience import Patience
from antiphon_server.integration.models.adapters.prices import PublicModels
from antiphon_server.integration.models.adapters.tool_names import ToolNames
from antiphon_server.integration.models.model import (
    ModelStep,
    Prompt,
    PromptMessage,
    PromptProgress,
    ProviderSaid,
    ToolDefinition,
)
from antiphon_server.integration.models.pricing import Prices
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.runtime.concurrency.loop_share import LoopShare
from antiphon_server.runtime.concurrency.retry_budget import RetryBudget
from antiphon_server.runtime.net.http_pool import HttpPool, Sent

if TYPE_CHECKING:
    import aiohttp

# A finished stream's last bytes come with its end; so long is worth a reusable connection.
_TAIL_S = 0.05
_REFUSAL_S = 1.0
_MAX_REFUSAL = 16 << 10


class OpenAIModel:
    """A :class:`~antiphon_server.integration.models.ports.ModelBackend` on the OpenAI wire."""

    counts = False

    def __init__(
        self,
        settings: ModelSettings,
        pool: HttpPool,
        known: PublicModels | None = None,
        *,
        keep_alive: bool = True,
    ) -> None:
        self._settings = settings
        self._known = known or PublicModels()
        self._pool = pool
        self._resends = RetryBudget()
        self._url = settings.base_url.rstrip("/") + "/chat/completions"
        self._headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if not keep_alive:
            self._headers["Connection"] = "close"
        if settings.secret:
            self._headers["Authorization"] = f"Bearer {settings.secret}"

    async def generate(
        self, prompt: Prompt, options: LlamaOptions | None = None
    ) -> AsyncGenerator[ModelStep, None]:
        parser, share = AnswerParser(), LoopShare()
        names = ToolNames(prompt.tools, prompt.messages)
        body = encode_request(self._settings, prompt, names, options or LlamaOptions())
        response = await self._post(body)
        try:
            patience = Patience(self._settings.first_byte_timeout_s)
            while not parser.done and (chunk := await self._read(response, patience)):
                began = time.perf_counter()
                text = self._parse(parser, chunk)
                await share.worked(began)
                begun = text or not parser.progress
                limits = self._settings.idle_timeout_s, self._settings.first_byte_timeout_s
                patience.heard(parser.events, limits[0] if begun else limits[1])
                if work := parser.work():
                    yield work
                if text:
                    yield text
                elif parser.progress:
                    yield PromptProgress(self._settings.name, *parser.progress)
                    parser.progress = None
            try:
                end = parser.end()
            except Malformed as error:
                raise garbled(self._settings.name) from error
            await _read_tail(response)
            for call in parser.calls():
                yield replace(call, tool=names.known(call.tool))
            yield end
        finally:
            response.close()

    async def count(
        self, messages: Sequence[PromptMessage], tools: Sequence[ToolDefinition] = ()
    ) -> int | None:
        """See :meth:`ModelBackend.count`; this wire has no way to ask."""
        return None

    def missing(self) -> str:
        return missing_key(self._settings)

    async def context_tokens(self) -> int:
        return await self._known.context_tokens(self._settings)

    async def prices(self) -> Prices | None:
        return self._settings.prices or await self._known.prices(self._settings)

    async def close(self) -> None:
        """See :meth:`ModelBackend.close`; the pool is closed by who made it."""

    async def _post(self, body: bytes) -> "aiohttp.ClientResponse":
        """Send the request; returns when the status and headers are there."""
        session = await self._pool.session()
        import aiohttp

        model, limit = self._settings.name, self._settings.first_byte_timeout_s
        try:
            async with asyncio.timeout(limit) as timeout:
                response = await self._send(session, body)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            late = timeout.expired()
            said = report(self._settings, f"nothing within {limit:g} s" if late else error)
            raise (silent(model, limit, said) if late else unavailable(model, said=said)) from error
        if response.status != 200:
            retry_after = response.headers.get("Retry-After", "")
            refusal = await _refusal(response)
            raise of_status(self._settings, response.status, retry_after, refusal)
        return response

    async def _send(
        self, session: "aiohttp.ClientSession", body: bytes
    ) -> "aiohttp.ClientResponse":
        """Send it, once more if the kept connection had been closed by the provider.

        All that are kept are closed when it dies, after it was asked on them: so what is sent once
        more is a share of what is answered, as other retries are.
        """
        import aiohttp

        sent = Sent()

        async def send() -> aiohttp.ClientResponse:
            return await session.post(
                self._url,
                data=body,
                headers=self._headers,
                allow_redirects=False,
                trace_request_ctx=sent,
            )

        try:
            response = await send()
        except (aiohttp.ServerDisconnectedError, ConnectionResetError):
            if not sent.on_kept:  # it takes in whoever comes, and sends them away
                raise
            self._resends.failed()
            if not self._resends.allows:
                raise
            response = await send()
        self._resends.succeeded()
        return response

    async def _read(self, response: "aiohttp.ClientResponse", patience: Patience) -> bytes:
        """What has come, at least a byte and at most a piece; nothing at the end."""
        import aiohttp

        try:
            return await patience.read(response.content)
        except TimeoutError as error:
            limit = patience.limit
            said = report(self._settings, f"nothing more within {limit:g} s")
            raise silent(self._settings.name, limit, said) from error
        except (aiohttp.ClientError, OSError) as error:
            raise garbled(self._settings.name, report(self._settings, error)) from error

    def _parse(self, parser: AnswerParser, chunk: bytes) -> str:
        try:
            return parser.feed(chunk)
        except Malformed as error:
            raise garbled(self._settings.name) from error
        except ProviderFault as error:
            said = ProviderSaid(0, words_of(self._settings, str(error)))
            begun = parser.events > 1  # the failure itself is one
            raise unavailable(self._settings.name, said=said, begun=begun) from error


async def _refusal(response: "aiohttp.ClientResponse") -> str:
    """What a refusal says, as far as it comes at once; the connection is closed."""
    import aiohttp

    try:
        async with asyncio.timeout(_REFUSAL_S):
            return (await response.content.read(_MAX_REFUSAL)).decode(errors="replace")
    except (aiohttp.ClientError, OSError):
        return ""
    finally:
        response.close()


async def _read_tail(response: "aiohttp.ClientResponse") -> None:
    """Read to the end of the response if it is near, so that its connection is kept."""
    import aiohttp

    try:
        async with asyncio.timeout(_TAIL_S):
            while not response.content.at_eof():
                await response.content.readany()
    except (aiohttp.ClientError, OSError):
        return  # the answer is whole; the connection is not worth more
