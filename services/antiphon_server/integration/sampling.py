"""Models for servers of tools: asked as every model is, and paid for by who calls the tool."""

from antiphon_server.integration.connections.mcp.ports import Sampled, Wanted
from antiphon_server.integration.models.generation import Generator
from antiphon_server.integration.models.model import (
    Finished,
    FinishReason,
    Order,
    Part,
    Prompt,
    PromptMessage,
    Step,
)
from antiphon_server.integration.tools.model import Caller

NOTE = "You are asked by a tool, not by a person. Nothing that you say is done or shown by itself."


class ModelSampling:
    """See :class:`~antiphon_server.integration.connections.mcp.ports.Sampling`."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator

    async def sample(self, caller: Caller, wanted: Wanted) -> Sampled:
        """See :meth:`Sampling.sample`: the turn's models are asked, or the default."""
        said: list[str] = []
        ends: list[Finished] = []

        async def take(step: Step) -> None:
            if isinstance(step, str):
                said.append(step)
            elif isinstance(step, Finished):
                ends.append(step)

        await self._generator.run(_order(caller, wanted), take)
        (end,) = ends
        return Sampled("".join(said), end.model, end.reason is FinishReason.LENGTH)


def _order(caller: Caller, wanted: Wanted) -> Order:
    payer = caller.payer
    lines = tuple(PromptMessage(it.role, (Part("text", it.text),)) for it in wanted.lines)
    told = "\n\n".join(filter(None, (NOTE, wanted.instructions)))
    instructions = (PromptMessage("system", (Part("text", told),)),)
    prompt = Prompt(lines, wanted.max_tokens, wanted.temperature)
    return Order(payer, caller.models, prompt, instructions=instructions)
