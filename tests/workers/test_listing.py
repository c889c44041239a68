"""Workers as they are listed."""

from typing import Any

from antiphon.dispatcher.v1 import worker_service_pb2 as pb
from antiphon_server.workers.listing import Listing
from antiphon_server.workers.pool import Pool
from tests.workers.stand_ins import LIMITS, session, worker_id


class Other:
    """Another server, with workers of its own."""

    def __init__(self, *numbers: int) -> None:
        pool = Pool(LIMITS)
        for number in numbers:
            pool.add(session(number))
        self._listing = Listing(pool, list)

    async def ListWorkers(
        self, request: pb.ListWorkersRequest, metadata: Any, timeout: float
    ) -> pb.ListWorkersResponse:
        return await self._listing.workers(request, metadata)


async def test_pages_hold_all_workers_of_all_servers() -> None:
    """Each once, also those of a server that has more than fit on a page."""
    here, others = Pool(LIMITS), [Other(*range(1, 8)), Other(8)]
    here.add(session(9))
    listing = Listing(here, lambda: others)  # type: ignore[arg-type,return-value]
    request, listed = pb.ListWorkersRequest(parent="global", page_size=3), []
    while True:
        page = await listing.workers(request, ())
        listed += [it.worker_id for it in page.workers]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert listed == [worker_id(it) for it in range(1, 10)]


async def test_a_full_page_of_another_server_is_not_the_last_one() -> None:
    listing = Listing(Pool(LIMITS), lambda: [Other(1, 2, 3)])  # type: ignore[list-item]
    page = await listing.workers(pb.ListWorkersRequest(parent="global", page_size=2), ())
    assert (len(page.workers), bool(page.next_page_token)) == (2, True)
