"""What notifications need from outside."""

from collections.abc import Collection, Sequence
from typing import Protocol

from antiphon_server.notifying.model import (
    Attempt,
    Claimed,
    Delivery,
    Due,
    Note,
    State,
    Verdict,
    Webhook,
)


class NoteStore(Protocol):
    """Keeps what is to be told, from the transaction in which it happened."""

    async def add(self, note: Note) -> None:
        """Keep one, unless it is there."""
        ...

    async def left(self, before_us: int, limit: int) -> Sequence[Note]:
        """Those that were kept before then and are not told yet, the oldest first."""
        ...

    async def told(self, notes: Sequence[Note], now_us: int) -> int:
        """Forget them, and let the webhooks that want them have deliveries; returns how many.

        A webhook has one of each notification, however often this is called. One for which too many
        wait has no more of them: they are counted, and its creator is notified once.
        """
        ...


class WebhookStore(Protocol):
    """Keeps webhooks, and tells the audit trail of what is changed."""

    async def add(self, webhook: Webhook) -> Webhook:
        """Keep one unless one of its id is there; returns the one that is.

        Raises DomainError LIMIT_EXCEEDED.
        """
        ...

    async def get(self, owner: str, webhook_id: str) -> Webhook | None:
        """One as it is now; None if the owner has none of that id."""
        ...

    async def list(self, owner: str) -> Sequence[Webhook]:
        """Those of an owner, by their ids."""
        ...

    async def change(self, webhook: Webhook, before: str) -> bool:
        """Replace one if its etag is still ``before``; whether it was.

        What is noted of it meanwhile stays, unless it is disabled or enabled by that. One that is
        disabled has no delivery that waits any more.
        """
        ...

    async def rotate(self, webhook: Webhook, before: str) -> bool:
        """Replace its secrets if its etag is still ``before``; whether they were."""
        ...

    async def delete(self, owner: str, webhook_id: str) -> None:
        """Take one away, with its deliveries."""
        ...


class DeliveryStore(Protocol):
    """Keeps deliveries; several servers take them from it."""

    async def due(
        self,
        now_us: int,
        webhooks: Collection[str],
        hosts: Collection[str],
        creators: Collection[str],
        limit: int,
    ) -> Sequence[Due]:
        """Some that are due, the oldest first; none of these webhooks, hosts, and who made them."""
        ...

    async def claim(self, wanted: Sequence[Due], now_us: int, until_us: int) -> Sequence[Claimed]:
        """Take those of them that are due still. Nobody else has them until ``until_us``."""
        ...

    async def release_all(self, now_us: int) -> None:
        """Give all back that is claimed, by whomever: there is nobody else."""
        ...

    async def settle(
        self, claimed: Claimed, attempt: Attempt, verdict: Verdict, now_us: int
    ) -> bool:
        """Note what came of an attempt; False, and nothing changes, if the claim has lapsed.

        A webhook that is disabled by it has no delivery that waits any more, and its creator is
        notified.
        """
        ...

    async def get(self, webhook_id: str, notification_id: str) -> Delivery | None:
        """One as it is now."""
        ...

    async def list(
        self, webhook_id: str, state: State | None, before: tuple[int, str] | None, limit: int
    ) -> Sequence[Delivery]:
        """Those of a webhook, the newest first, older than ``before`` = (created_us, id)."""
        ...

    async def again(self, webhook_id: str, notification_id: str, now_us: int) -> None:
        """Have one posted now, as if it never was."""
        ...

    async def waiting(self) -> int:
        """How many wait, of all webhooks."""
        ...

    async def give_up(self, before_us: int, now_us: int, limit: int) -> int:
        """Give some up that wait since before then, and count them; returns how many."""
        ...

    async def forget(self, before_us: int, limit: int) -> int:
        """Forget some that have ended and were made before then; returns how many."""
        ...


class TellsUsers(Protocol):
    """Tells users in their own logs."""

    async def tell(self, note: Note) -> None:
        """Tell it once, unless a stream of the user's is known to watch the turn's conversation.

        Who may not know of it is told nothing: who is disabled, or may not read there any more.

        Raises DomainError if that can't be done now.
        """
        ...


class Rights(Protocol):
    """Knows who may know of what, as of now. Each raises DomainError if that can't be told."""

    async def may_act(self, owner: str) -> bool:
        """Whether ``owner`` is a workspace, or a user who is there and not disabled."""
        ...

    async def may_read(self, owner: str, conversation_id: str) -> bool:
        """Whether ``owner`` is a workspace, or a user who may read the conversation."""
        ...


class Posts(Protocol):
    """Posts to addresses that users name."""

    async def post(self, webhook: Webhook, notification_id: str, body: bytes) -> Attempt:
        """Post once, within bounds of time and size."""
        ...

    async def check(self, owner: str, url: str) -> None:
        """Return if calls may go there as far as that can be told without looking it up.

        Raises DomainError EGRESS_DENIED.
        """
        ...

    def host(self, url: str) -> str:
        """Where it leads: a name or an address, and a port."""
        ...
