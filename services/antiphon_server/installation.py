"""The services of an installation: their descriptors, and what follows from them.

This is the only list of them. Whoever adds one adds a folder with a ``descriptor.py``, and its
line here.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar

from antiphon_server.agents.handlers import agents
from antiphon_server.anomalies import room as anomalies
from antiphon_server.auth.descriptor import AUTH
from antiphon_server.context.descriptor import context
from antiphon_server.dispatcher.descriptor import dispatcher
from antiphon_server.dispatcher.rooms import ComposeRooms
from antiphon_server.events.descriptor import EVENTS
from antiphon_server.filters import room as filters
from antiphon_server.integration.descriptor import INTEGRATION
from antiphon_server.memory.descriptor import MEMORY
from antiphon_server.notifying import room as notifying
from antiphon_server.routing import room as routing
from antiphon_server.runtime.composition.descriptor import Descriptor
from antiphon_server.scheduling import room as scheduling
from antiphon_server.workers import room as workers

SERVICES = (
    *(AUTH, EVENTS),
    context((filters.tables, anomalies.tables), filters.filtering, anomalies.watching),
    INTEGRATION,
    MEMORY,
    dispatcher(
        agents,
        ComposeRooms(
            tables=(workers.tables, routing.tables, scheduling.tables, notifying.tables),
            workers=workers.workers,
            routing=routing.routing,
            scheduling=scheduling.scheduling,
            masking=filters.masking,
            notifying=notifying.notifying,
        ),
    ),
)
"""They start in this order, but for whom they call: that starts before them."""

NAMES: tuple[str, ...] = tuple(each.name for each in SERVICES)

if TYPE_CHECKING:
    ServiceName = str
else:
    ServiceName = Literal[NAMES]

AnyDescriptor = TypeVar("AnyDescriptor", bound=Descriptor)


class CallsInACircle(ValueError):
    """Services call each other, so none of them could start first."""


def in_start_order(services: Sequence[AnyDescriptor]) -> list[AnyDescriptor]:
    """The order of the list, but whom a service calls comes before it. Raises CallsInACircle."""
    by_name = {each.name: each for each in services}
    ordered: dict[str, AnyDescriptor] = {}

    def add(each: AnyDescriptor, callers: tuple[str, ...] = ()) -> None:
        if each.name in callers:
            raise CallsInACircle(" calls ".join((*callers, each.name)))
        for name in each.calls:
            if name in by_name and name not in ordered:
                add(by_name[name], (*callers, each.name))
        ordered[each.name] = each

    for each in services:
        if each.name not in ordered:
            add(each)
    return list(ordered.values())


def all_methods(services: Iterable[Descriptor] = SERVICES) -> Iterator[str]:
    """The full names of all RPCs, whichever process has them."""
    for each in services:
        yield from each.methods()
