"""A peer, no floor: an agent of a2a-sdk that relays the model, its tasks kept in memory.

It is what the package's own examples are: its gRPC handler, its default request handler, its
task updater. Its client to the model is the relay's.
"""

import grpc
from a2a.helpers import new_task_from_user_message
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler, GrpcHandler
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, Part
from a2a.types.a2a_pb2_grpc import add_A2AServiceServicer_to_server

from tests.proofs.bench.floors.relay import Model


class _Agent(AgentExecutor):  # type: ignore[misc]  # mypy does not see the package
    """Answers with what the model says, delta by delta."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Tell the task, its text, its end."""
        task = new_task_from_user_message(context.message)
        await event_queue.enqueue_event(task)
        updater = TaskUpdater(event_queue, task.id, task.context_id)
        await updater.start_work()
        begun = False
        async for text in self._model.texts():
            await updater.add_artifact([Part(text=text)], "answer", append=begun)
            begun = True
        await updater.complete()

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Nobody asks for it here."""
        raise NotImplementedError


def add(server: grpc.aio.Server, url: str) -> None:
    """Serve the agent, whose model is at ``url``."""
    card = AgentCard(name="bench", capabilities=AgentCapabilities(streaming=True))
    handler = DefaultRequestHandler(_Agent(Model(url)), InMemoryTaskStore(), card)
    add_A2AServiceServicer_to_server(GrpcHandler(handler), server)
