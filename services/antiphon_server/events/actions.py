"""What a client asks of its open stream, as far as it can be carried to another node."""

from typing import assert_never

import msgspec

from antiphon_server.events.subscription import Subscription
from antiphon_server.events.watch import WatchRequest
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors import DomainError, Reason


class Create(msgspec.Struct, frozen=True, tag="create"):
    """Begin a watch."""

    request: WatchRequest


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """End a watch."""

    watch_id: str


class Report(msgspec.Struct, frozen=True, tag="report"):
    """Say how far each watch is."""


class Adopt(msgspec.Struct, frozen=True, tag="adopt"):
    """Go on as ``principal``, whose new token was verified; None if it was ``refused``."""

    principal: Principal | None
    refused: Reason = Reason.TOKEN_INVALID


class End(msgspec.Struct, frozen=True, tag="end"):
    """End the stream."""


Action = Create | Cancel | Report | Adopt | End


def adoption(token: Principal | DomainError) -> Adopt:
    """The action that follows from what was said of a new token."""
    return Adopt(None, token.reason) if isinstance(token, DomainError) else Adopt(token)


async def act(subscription: Subscription, action: Action) -> None:
    """Do it."""
    match action:
        case Create(request):
            await subscription.create(request)
        case Cancel(watch_id):
            subscription.cancel(watch_id)
        case Report():
            subscription.request_progress()
        case Adopt(principal, refused):
            subscription.adopt(principal or DomainError(refused))
        case End():
            subscription.cancel_all()
        case _:
            assert_never(action)
