"""What a chat says when it begins of the small model that comes with the server."""

from contextlib import aclosing

from antiphon_client import Client
from antiphon_server.cli.chat.talk import Wishes
from antiphon_server.cli.console import as_typed
from antiphon_server.integration.models.settings import SMALL_MODEL

SENTENCE = (
    f"{SMALL_MODEL} is for trying out: it makes much up. For a better one:"
    " `antiphon up --model openai/gpt-4.1-mini`, with OPENAI_API_KEY set."
)


async def for_trying_out(client: Client, wishes: Wishes) -> str:
    """That the small model answers, and how another one does; empty if it does not answer."""
    name = next(iter(wishes.models), "")
    if wishes.handler:
        return ""
    async with aclosing(client.list_models()) as models:
        async for model in models:
            if name or model.default:
                return as_typed(SENTENCE) if (name or model.name) == SMALL_MODEL else ""
    return ""
