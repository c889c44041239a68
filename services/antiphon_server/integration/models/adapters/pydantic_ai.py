"""Every provider off the OpenAI wire (Anthropic, Google, Bedrock, ...), by pydantic-ai.

The library is imported when a model behind it is first asked: it costs seconds and
100 MB. Source: https://ai.pydantic.dev/direct/
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from antiphon_server.integration.models.adapters.failures import not_runnable
from antiphon_server.integration.models.adapters.missing import EXTRA, missing_key, missing_provider
from antiphon_server.integration.models.adapters.prices import PublicModels
from antiphon_server.integration.models.model import (
    ModelStep,
    Prompt,
    PromptMessage,
    ToolDefinition,
)
from antiphon_server.integration.models.pricing import Prices
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.runtime.concurrency.imports import imported, importing

if TYPE_CHECKING:
    from antiphon_server.integration.models.adapters.pydantic_ai_stream import Provider

_LIBRARY_SIDE = "antiphon_server.integration.models.adapters.pydantic_ai_stream"


class ProviderModel:
    """A :class:`~antiphon_server.integration.models.ports.ModelBackend` behind pydantic-ai."""

    counts = False

    def __init__(self, settings: ModelSettings, known: PublicModels | None = None) -> None:
        self._settings = settings
        self._known = known or PublicModels()
        self._provider: Provider | None = None
        self._opening = asyncio.Lock()

    async def generate(self, prompt: Prompt) -> AsyncGenerator[ModelStep, None]:
        async with aclosing((await self._opened()).generate(prompt)) as steps:
            async for step in steps:
                yield step

    async def count(
        self, messages: Sequence[PromptMessage], tools: Sequence[ToolDefinition] = ()
    ) -> int | None:
        """See :meth:`ModelBackend.count`; not asked of these providers."""
        return None

    def missing(self) -> str:
        return missing_provider(self._settings) or missing_key(self._settings)

    async def context_tokens(self) -> int:
        return await self._known.context_tokens(self._settings)

    async def prices(self) -> Prices | None:
        return self._settings.prices or await self._known.prices(self._settings)

    async def close(self) -> None:
        if self._provider is not None:
            await self._provider.close()

    async def _opened(self) -> "Provider":
        """The library's model. Raises DomainError MODEL_NOT_FOUND if it is not installed."""
        async with self._opening:
            if self._provider is None:
                try:
                    library: Any = await imported(_LIBRARY_SIDE)
                    self._provider = await importing(library.open_provider, self._settings)
                except ImportError as error:
                    raise not_runnable(self._settings.name, EXTRA) from error
            assert self._provider is not None
            return self._provider
