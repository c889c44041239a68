"""A client that speaks for a turn."""

from antiphon_client.caller import DEADLINE_S, PATIENCE_S
from antiphon_client.client import Client
from antiphon_client.credentials import Tokens
from antiphon_client.redial import ignore_connection
from antiphon_client.token_exchange import TokenExchange
from antiphon_client.token_store import MemoryTokenStore
from antiphon_client.tokens import TokenSource
from antiphon_client.wire import SILENCE_S
from antiphon_client.worker.turns import Turn

_GIVE_UP_AFTER_S = 300.0


class TurnClient(Client):
    """Speaks with a turn's grant, on its worker's channel, which stays open when it is closed."""

    async def close(self) -> None:
        """Nothing is open that is its own."""


def client_of(turn: Turn, worker: Client) -> TurnClient:
    """A client for a turn: what it may do, its grant says, and it ends with the turn."""
    store = MemoryTokenStore(Tokens(turn.assign.grant))
    tokens = TokenSource(TokenExchange(worker.channel, "antiphon worker"), None, store)

    def regranted(old: str) -> None:
        store.save(Tokens(turn.assign.grant))
        tokens.reject(old)

    turn.regranted = regranted
    return TurnClient(
        worker.channel,
        tokens,
        deadline=DEADLINE_S,
        silence=SILENCE_S,
        give_up_after=_GIVE_UP_AFTER_S,
        on_connection=ignore_connection,
        patience=PATIENCE_S,
    )
