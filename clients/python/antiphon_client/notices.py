"""What operators say to everybody."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import TYPE_CHECKING

from antiphon.context.v1 import notice_service_pb2 as messages
from antiphon.context.v1.notice_pb2 import Notice
from antiphon_client.caller import Caller, pages

if TYPE_CHECKING:
    from antiphon.context.v1.notice_service_pb2_grpc import NoticeServiceAsyncStub


class Notices:
    """The notice service. Errors: AntiphonError, as each RPC's comment says."""

    _notices: "NoticeServiceAsyncStub"
    _caller: Caller

    async def publish_notice(self, text: str, live: timedelta | None = None) -> Notice:
        """Tell everybody something, for a day unless ``live`` says how long; for operators."""
        request = messages.PublishNoticeRequest(text=text)
        if live is not None:
            request.time_to_live.FromTimedelta(live)
        return (await self._caller.call(self._notices.PublishNotice, request)).notice

    async def withdraw_notice(self, notice_id: str) -> Notice:
        """End a notice before it expires; for operators."""
        request = messages.WithdrawNoticeRequest(notice_id=notice_id)
        return (await self._caller.call(self._notices.WithdrawNotice, request)).notice

    def list_notices(self, *, show_ended: bool = False) -> AsyncGenerator[Notice]:
        """Those in force, the newest first; follow the scope ``global`` to hear of more."""

        async def fetch(page_token: str) -> messages.ListNoticesResponse:
            request = messages.ListNoticesRequest(page_token=page_token, show_ended=show_ended)
            return await self._caller.call(self._notices.ListNotices, request)

        return pages(fetch, lambda page: page.notices)
