"""The composition root's slice for the agents."""

from collections.abc import Sequence

import grpc

from antiphon.context.v1.context_service_pb2_grpc import ContextServiceStub
from antiphon.integration.v1.integration_service_pb2_grpc import IntegrationServiceStub
from antiphon.integration.v1.tool_service_pb2_grpc import ToolServiceStub
from antiphon.memory.v1.assembly_service_pb2_grpc import AssemblyServiceStub
from antiphon_server.agents.adapters.beside import BesideMessages
from antiphon_server.agents.adapters.handing_tools import HandingTools
from antiphon_server.agents.adapters.services import ContextWindow, IntegrationModels
from antiphon_server.agents.adapters.tools import IntegrationTools
from antiphon_server.agents.assistant import Assistant
from antiphon_server.dispatcher.handling import Handler


def compose_agents(internal: grpc.aio.Channel, most_steps: int) -> Sequence[Handler]:
    """All agents, the default first; ``internal`` leads to context, memory and integration.

    A turn asks models ``most_steps`` times at most.
    """
    beside = BesideMessages(AssemblyServiceStub(internal))
    window = ContextWindow(ContextServiceStub(internal), beside)
    models = IntegrationModels(IntegrationServiceStub(internal))
    tools = HandingTools(IntegrationTools(ToolServiceStub(internal)))
    return [Assistant(window, models, tools, max_steps=most_steps)]
