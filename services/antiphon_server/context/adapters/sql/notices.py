"""Notices in SQL."""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, text, update

from antiphon_server.context.adapters.sql.rows import PAGE_LIMIT, older, place
from antiphon_server.context.adapters.tables import notices
from antiphon_server.context.model.notices import Notice, NoticeId
from antiphon_server.context.model.resources import Position

_TABLE = notices.c
_GET = select(notices).where(_TABLE.notice_id == bindparam("notice"))
_LOCK = text(f"LOCK TABLE {notices.name} IN SHARE ROW EXCLUSIVE MODE")
_ADD = insert(notices)
_WITHDRAW = (
    update(notices)
    .where(_TABLE.notice_id == bindparam("notice"))
    .values(withdraw_us=bindparam("time_us"), end_us=bindparam("time_us"))
)
_PAGE = (
    select(notices)
    .where(_TABLE.end_us > bindparam("ends_after_us"), older(_TABLE.publish_us, _TABLE.notice_id))
    .order_by(_TABLE.publish_us.desc(), _TABLE.notice_id.desc())
    .limit(PAGE_LIMIT)
)
_FORGET = delete(notices).where(_TABLE.end_us < bindparam("ended_before_us"))


class SqlNotices:
    """See :class:`~antiphon_server.context.ports.records.NoticeRecords`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self) -> None:
        """See :meth:`NoticeRecords.lock`; SQLite has but one writer."""
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(_LOCK)

    def get(self, notice_id: NoticeId) -> Notice | None:
        row = self._connection.execute(_GET, {"notice": notice_id}).first()
        return _notice(row) if row else None

    def add(self, notice: Notice) -> None:
        values = {
            "notice_id": notice.notice_id,
            "text": notice.text,
            "publish_us": notice.publish_us,
            "expire_us": notice.expire_us,
            "withdraw_us": notice.withdraw_us,
            "end_us": notice.end_us,
        }
        self._connection.execute(_ADD, values)

    def withdraw(self, notice_id: NoticeId, withdraw_us: int) -> None:
        self._connection.execute(_WITHDRAW, {"notice": notice_id, "time_us": withdraw_us})

    def page(self, ends_after_us: int, after: Position | None, limit: int) -> list[Notice]:
        values = {"ends_after_us": ends_after_us, **place(after, limit)}
        return [_notice(row) for row in self._connection.execute(_PAGE, values)]

    def forget(self, ended_before_us: int) -> None:
        self._connection.execute(_FORGET, {"ended_before_us": ended_before_us})


def _notice(row: Row[Any]) -> Notice:
    return Notice(row.notice_id, row.text, row.publish_us, row.expire_us, row.withdraw_us)
