"""A handler is done, and people go on."""

from datetime import timedelta
from typing import NoReturn

from antiphon.auth.v1.access_pb2 import ROLE_MEMBER, Role
from antiphon.dispatcher.v1.handoff_pb2 import HandoffOrder
from antiphon_client.handoffs import handoff_order
from antiphon_client.worker import checked


class HandedOff(BaseException):
    """Ends what a handler does; it is not for handlers to catch."""

    def __init__(self, order: HandoffOrder) -> None:
        super().__init__(order.reason)
        self.order = order


def hand_off(
    reason: str,
    role: Role.ValueType = ROLE_MEMBER,
    expire_after: timedelta | None = None,
    otherwise_text: str = "",
    otherwise_handler: str = "",
) -> NoReturn:
    """Raises HandedOff; ValueError for what can't be said."""
    raise HandedOff(
        handoff_order(
            checked.reason(reason),
            role=role,
            expire_after=expire_after,
            otherwise_text=otherwise_text,
            otherwise_handler=otherwise_handler,
        )
    )
