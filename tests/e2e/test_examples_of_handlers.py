"""What workers say of their handlers, as it is listed, and how much of that there may be."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import grpc
import pytest
import pytest_asyncio

from antiphon.dispatcher.v1 import dispatcher_service_pb2 as pb
from antiphon.dispatcher.v1.dispatcher_service_pb2_grpc import DispatcherServiceStub
from antiphon.dispatcher.v1.turn_pb2 import Handler
from antiphon.dispatcher.v1.worker_pb2 import Hello, OfferedHandler
from antiphon.dispatcher.v1.worker_service_pb2 import WorkRequest
from antiphon_server.dispatcher.handling import TurnId
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError
from antiphon_server.runtime.errors.wire import domain_error_of
from antiphon_server.runtime.rpc.limits import Limits
from antiphon_server.workers import encoding
from tests.e2e.callers import channel_to
from tests.e2e.server import ServerProcess
from tests.workers.bare import BareWorker, introduced, signed, token_of
from tests.workers.processes import invited

NAMES = [f"h-{number:02}" for number in range(32)]
pytestmark = pytest.mark.asyncio(loop_scope="module")


def filled(name: str, examples: int = 64, size: int = 1024) -> OfferedHandler:
    """A handler with all that the contract lets it say."""
    return OfferedHandler(
        name=name,
        description="d" * 256,
        takes=["image", "audio", "file"],
        examples=[f"{name} {number} ".ljust(size, "x") for number in range(examples)],
    )


def hello_of(*handlers: OfferedHandler) -> Hello:
    """A worker that offers these."""
    hello = introduced()
    hello.handlers.extend(handlers)
    return hello


@dataclass(slots=True)
class Stage:
    """A server, and a program that may serve all these handlers."""

    channel: grpc.aio.Channel
    program: str
    operator: str

    def worker(self) -> BareWorker:
        """One of the program's."""
        return BareWorker(self.channel, self.program)

    async def refused(self, hello: Hello) -> DomainError:
        """Why such a worker is not taken on."""
        worker = self.worker()
        await worker.say(hello=hello)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await worker.stream.read()
        return domain_error_of(refused.value)

    async def pages(self) -> list[pb.ListHandlersResponse]:
        """All pages of the handlers that there are."""
        pages, request = [pb.ListHandlersResponse(next_page_token="")], pb.ListHandlersRequest()
        while len(pages) == 1 or request.page_token:
            stub = DispatcherServiceStub(self.channel)
            pages.append(await stub.ListHandlers(request, metadata=signed(self.operator)))
            request = pb.ListHandlersRequest(page_size=200, page_token=pages[-1].next_page_token)
        return pages[1:]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A server whose operator has let the program in."""
    async with ServerProcess(tmp_path_factory.mktemp("examples")) as server:
        key = await invited(server, NAMES[0])
        async with server.client() as client:
            (permission,) = [it async for it in client.list_worker_permissions("global")]
            for name in NAMES[1:]:
                await client.allow_worker("global", name, permission.user_id)
            operator = await client.tokens.get()
            async with channel_to(server) as channel:
                yield Stage(channel, await token_of(channel, key), operator)
        assert server.defects == []


async def test_all_that_a_worker_may_say_of_itself_is_taken_and_listed(stage: Stage) -> None:
    """On the stream and in pages, which are ended by what they hold long before 4 MiB."""
    offered = {name: filled(name) for name in NAMES}
    hello, worker = hello_of(*offered.values()), stage.worker()
    await worker.welcomed(hello)
    pages = await stage.pages()
    worker.cut()
    listed: dict[str, Handler] = {it.name: it for page in pages for it in page.handlers}
    assert [it for it in listed if it in offered] == NAMES
    for name, it in offered.items():
        assert list(listed[name].examples) == list(it.examples)
    assert sum(len(page.handlers) for page in pages) == len(listed)
    assert max(page.ByteSize() for page in pages) < (1 << 20) + 1024


async def test_the_largest_hello_fits_a_message_also_between_servers() -> None:
    """With 1000 turns that it comes back with."""
    hello = hello_of(*map(filled, NAMES))
    for _ in range(1000):
        hello.held.add(turn_id=new_id("turn"), conversation_id=new_id("conv"), fence=1 << 30)
    assert WorkRequest(hello=hello).ByteSize() < Limits().message_bytes * 2 / 3
    turns = [TurnId(it.turn_id) for it in hello.held]
    passed = encoding.hello(encoding.introduction(hello, "user_p"), turns)
    assert passed.ByteSize() < Limits().message_bytes * 2 / 3


@pytest.mark.parametrize(
    ("offered", "field"),
    [
        (filled("h-00", 65), "handlers[0].examples"),
        (filled("h-00", 2, 1025), "handlers[0].examples[0]"),
        (OfferedHandler(name="h-00", examples=["one", ""]), "handlers[0].examples[1]"),
    ],
    ids=["many", "long", "empty"],
)
async def test_more_is_refused_by_the_name_of_its_field(
    stage: Stage, offered: OfferedHandler, field: str
) -> None:
    error = await stage.refused(hello_of(offered))
    assert error.reason == "INVALID_ARGUMENT"
    assert field in str(error.violations)


async def test_a_user_has_no_more_than_16_mib_of_examples(stage: Stage) -> None:
    """Of what differs: more workers that say the same are taken on."""
    workers = []
    for number in range(8):
        offers = [filled(name) for name in NAMES]
        for it in offers:
            it.examples[0] = f"{number} {it.name}"
        workers.append(hello_of(*offers))
    taken = []
    for hello in (*workers[:7], workers[0]):
        again = Hello()
        again.CopyFrom(hello)
        again.worker_id = new_id("worker")
        taken.append(stage.worker())
        await taken[-1].welcomed(again)
    error = await stage.refused(workers[7])
    assert error.reason == "LIMIT_EXCEEDED"
    assert error.metadata["limit"] == "16 MiB of examples a user"
    for worker in taken:
        worker.cut()
