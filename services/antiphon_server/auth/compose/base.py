"""What every part of identity is given."""

from dataclasses import dataclass

from antiphon_server.auth.compose.other_servers import OtherServers
from antiphon_server.auth.ports import Clock, ServerSecret, Stores
from antiphon_server.auth.settings import AuthSettings
from antiphon_server.runtime.concurrency.completion import Completion


@dataclass(frozen=True, slots=True)
class Base:
    """Where things are kept, what they are sealed with, when it is, and what must be finished.

    ``others`` share the stores.
    """

    stores: Stores
    secret: ServerSecret
    clock: Clock
    completion: Completion
    settings: AuthSettings
    others: OtherServers
