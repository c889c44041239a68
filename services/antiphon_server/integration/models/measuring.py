"""An order cut to a model's window, as its own tokenizer counts where that is known."""

from dataclasses import replace

from antiphon_server.integration.models.catalogue import ConfiguredModel
from antiphon_server.integration.models.counting import TOKENS_OF_PROMPT
from antiphon_server.integration.models.fitting import Fitted, fitted
from antiphon_server.integration.models.model import Order
from antiphon_server.integration.models.tokens import most_tokens
from antiphon_server.runtime.errors import DomainError, Reason

_MORE = 1.02
"""So much more is left out of a prompt that turns out too long, so that one time is enough."""


async def measured(model: ConfiguredModel, order: Order) -> Fitted:
    """The order for the model, with as much of its history and of the texts beside it as its
    window has room for.

    Raises DomainError MODEL_PROMPT_TOO_LONG where all that is asked is longer than the window,
    and the model's own tokenizer says so: its provider would refuse it.
    """
    room = await model.room(order.prompt.max_output_tokens)
    context = await model.context_tokens()
    messages = (*order.history, *order.instructions, *order.beside, *order.prompt.messages)
    await model.counting.prepare(messages, order.prompt.tools, room.prompt)
    takes_tools = model.settings.tools
    wanted = fitted(order, room, model.accepts, takes_tools=takes_tools, counting=model.counting)
    wanted, sure = await _counted(model, wanted, room.prompt)
    if context and sure >= context:
        raise DomainError(Reason.MODEL_PROMPT_TOO_LONG, model=model.name)
    tokens = sure or round(wanted.tokens * model.counting.margin) + TOKENS_OF_PROMPT
    return _within(wanted, context - tokens) if context else wanted


async def _counted(model: ConfiguredModel, wanted: Fitted, most: int) -> tuple[Fitted, int]:
    """The order, shorter where it has more tokens than that; and how many, 0 if nobody knows."""
    if not model.backend.counts:
        return wanted, wanted.tokens + TOKENS_OF_PROMPT if model.counting.exact else 0
    while most_tokens(wanted.prompt) > most:
        tokens = await _whole(model, wanted)
        if tokens <= most or wanted.shortest:
            return wanted, tokens
        wanted = wanted.without(int((tokens - most) * wanted.tokens / tokens * _MORE))
    return wanted, 0


async def _whole(model: ConfiguredModel, wanted: Fitted) -> int:
    """What the model says of the whole prompt, 0 if it does not answer."""
    try:
        return await model.backend.count(wanted.prompt.messages, wanted.prompt.tools) or 0
    except DomainError:  # whoever asks it hears of that
        return 0


def _within(wanted: Fitted, left: int) -> Fitted:
    """The same with an answer that the window has room for, behind the prompt."""
    if not 0 < left < wanted.max_output_tokens:
        return wanted
    return replace(wanted, max_output_tokens=left)
