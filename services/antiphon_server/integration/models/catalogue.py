"""The configured models."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from antiphon_server.integration.models.model import ModelName, Prices, PromptMessage
from antiphon_server.integration.models.ports import ModelBackend
from antiphon_server.integration.models.settings import ModelSettings
from antiphon_server.integration.models.tokens import tokens_of_prompt
from antiphon_server.runtime.errors import DomainError, Reason, invalid
from antiphon_server.runtime.rpc.paging import decode_page_token, encode_page_token

_LISTED = "models"


class ConfiguredModel:
    """One model: its settings, its backend, and its prices once they are known."""

    def __init__(self, settings: ModelSettings, backend: ModelBackend) -> None:
        self.settings = settings
        self.backend = backend
        self._pricing: asyncio.Task[Prices | None] | None = None

    @property
    def name(self) -> ModelName:
        """What callers call it."""
        return self.settings.model_name

    def prices_by_now(self) -> Prices | None:
        """The prices if they are known already; otherwise begins to find them out."""
        task = self._looking_up()
        return task.result() if _succeeded(task) else self.settings.prices

    @cached_property
    def missing(self) -> str:
        """What is missing here for it to be asked, in words; empty if nothing is."""
        return self.backend.missing()

    async def prices(self) -> Prices | None:
        """The prices, None if unknown."""
        looking_up = self._looking_up()
        if not looking_up.done():
            await asyncio.wait([looking_up])
        return self.prices_by_now()

    async def count(self, messages: Sequence[PromptMessage]) -> tuple[int, bool]:
        """How many tokens the messages have, and whether that is exact."""
        exact = await self.backend.count(messages)
        return (exact, True) if exact is not None else (tokens_of_prompt(messages), False)

    def check_takes(self, messages: Sequence[PromptMessage]) -> None:
        """Raise DomainError INVALID_ARGUMENT if a part is of a kind that it can't take."""
        accepts = frozenset(self.settings.accepts)
        for at, message in enumerate(messages):
            if not message.kinds <= accepts:
                unknown = min(message.kinds - accepts)
                raise invalid(f"messages[{at}].parts", f"{self.name} takes no {unknown}")

    async def close(self) -> None:
        """Release what the backend holds."""
        if self._pricing is not None:
            await asyncio.wait([self._pricing])
        await self.backend.close()

    def _looking_up(self) -> asyncio.Task[Prices | None]:
        if self._pricing is None:
            self._pricing = asyncio.create_task(self.backend.prices(), name=f"prices {self.name}")
        return self._pricing


class Catalogue:
    """All configured models, the default first."""

    def __init__(
        self, settings: Sequence[ModelSettings], make: Callable[[ModelSettings], ModelBackend]
    ) -> None:
        self._models = {one.model_name: ConfiguredModel(one, make(one)) for one in settings}

    def page(self, limit: int, page_token: str) -> tuple[list[ConfiguredModel], str]:
        """A page, the default first, and the next one's token (empty on the last).

        Raises DomainError PAGE_TOKEN_INVALID.
        """
        names, start = list(self._models), 0
        if (position := decode_page_token(page_token, _LISTED, 1)) is not None:
            if position[0] not in self._models:
                raise DomainError(Reason.PAGE_TOKEN_INVALID)
            start = names.index(ModelName(position[0])) + 1
        page = names[start : start + limit]
        more = start + limit < len(names)
        token = encode_page_token(_LISTED, page[-1]) if more else ""
        return [self._models[name] for name in page], token

    def named(self, name: str) -> ConfiguredModel:
        """The model of that name; the default for an empty one.

        Raises DomainError MODEL_NOT_FOUND.
        """
        wanted = ModelName(name) if name else next(iter(self._models), ModelName(""))
        if wanted not in self._models:
            raise DomainError(Reason.MODEL_NOT_FOUND, model=wanted)
        return self._models[wanted]

    def chosen(self, names: Sequence[str]) -> list[ConfiguredModel]:
        """The named models in order, each once; the default if none is named.

        Raises DomainError MODEL_NOT_FOUND.
        """
        return [self.named(name) for name in dict.fromkeys(names or [""])]

    def look_up_default(self) -> None:
        """Begin to find out what the default costs, which the end of the first call waits for."""
        if self._models:
            self.named("").prices_by_now()

    def unusable(self) -> Iterator[ConfiguredModel]:
        """Those that can't be asked as they are configured."""
        return (model for model in self._models.values() if model.missing)

    async def close(self) -> None:
        """Close every backend."""
        for model in self._models.values():
            await model.close()


def _succeeded(task: asyncio.Task[Prices | None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None
