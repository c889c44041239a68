"""Notices are few, however many servers publish them."""

import asyncio

from antiphon_server.context.model.notices import Notice, NoticeId
from antiphon_server.context.ports import Records, Store

AT_ONCE = 8


async def test_who_counts_notices_counts_those_of_the_others(store: Store) -> None:
    """Of transactions at once each sees what those before it have added, so a limit holds."""

    def work(records: Records, number: int) -> int:
        records.notices.lock()
        before = len(records.notices.page(0, None, AT_ONCE))
        records.notices.add(Notice(NoticeId(f"ntc_{number:08}"), "soon", number + 1, 1_000))
        return before

    def one(number: int) -> "asyncio.Future[int]":
        return asyncio.ensure_future(store.write(lambda records: work(records, number)))

    counted = await asyncio.gather(*map(one, range(AT_ONCE)))
    assert sorted(counted) == list(range(AT_ONCE))
