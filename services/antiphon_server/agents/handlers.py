"""What the installation hands to the dispatcher: imported when it is composed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import grpc

    from antiphon_server.dispatcher.handling import Handler, HandlerSettings


def agents(settings: "HandlerSettings", internal: "grpc.aio.Channel") -> "Sequence[Handler]":
    """All agents, the default first; ``internal`` leads to context and integration."""
    from antiphon_server.agents.compose import compose_agents

    return compose_agents(internal, settings.most_steps)
