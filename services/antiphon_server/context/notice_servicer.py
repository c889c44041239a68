"""NoticeService: decode, call, encode."""

from typing import Any

from antiphon.context.v1 import notice_service_pb2 as pb
from antiphon.context.v1.notice_service_pb2_grpc import NoticeServiceServicer
from antiphon_server.context import encoding
from antiphon_server.context.model.notices import Notice, NoticeId
from antiphon_server.context.service.notices import Notices
from antiphon_server.runtime.access.principal import current_principal
from antiphon_server.runtime.encoding.lines import in_one_line
from antiphon_server.runtime.rpc.paging import page_limit


class NoticeServicer(NoticeServiceServicer):
    """The RPCs of ``antiphon.context.v1.NoticeService``."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    async def PublishNotice(
        self, request: pb.PublishNoticeRequest, context: Any
    ) -> pb.PublishNoticeResponse:
        principal = current_principal()
        key = encoding.repeatable(principal, request.request_id, request, Notice)
        live_s = request.time_to_live.ToTimedelta().total_seconds()
        made = await self._notices.publish(principal, in_one_line(request.text), live_s, key)
        return pb.PublishNoticeResponse(notice=encoding.notice(made))

    async def WithdrawNotice(
        self, request: pb.WithdrawNoticeRequest, context: Any
    ) -> pb.WithdrawNoticeResponse:
        notice_id = NoticeId(request.notice_id)
        over = await self._notices.withdraw(current_principal(), notice_id)
        return pb.WithdrawNoticeResponse(notice=encoding.notice(over))

    async def ListNotices(
        self, request: pb.ListNoticesRequest, context: Any
    ) -> pb.ListNoticesResponse:
        limit, token = page_limit(request.page_size), request.page_token
        page = await self._notices.list(limit, token, ended=request.show_ended)
        return pb.ListNoticesResponse(
            notices=[encoding.notice(one) for one in page.items],
            next_page_token=page.next_token,
        )
