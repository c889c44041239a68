"""What notifications are made of. Times are in microseconds since 1970."""

import json
from dataclasses import dataclass

from antiphon_server.runtime.encoding.open_enum import OpenIntEnum


class Kind(OpenIntEnum):
    """What somebody is notified of; the numbers are the contract's NotificationKind."""

    TURN_ENDED = 1
    TURN_WAITING = 2
    TURN_HANDED_OFF = 3
    HANDOFF_ENDED = 4


CANCELLED = 6
"""The contract's TURN_STATE_CANCELLED."""


class DisabledReason(OpenIntEnum):
    """Why a webhook is told nothing; the numbers are the contract's."""

    NONE = 0
    BY_HAND = 1
    GONE = 2
    FAILING = 3


class State(OpenIntEnum):
    """What has become of a delivery; the numbers are the contract's DeliveryState."""

    WAITING = 1
    DELIVERED = 2
    FAILED = 3


class Outcome(OpenIntEnum):
    """What came of an attempt; the numbers are the contract's DeliveryOutcome."""

    NONE = 0
    TAKEN = 1
    REFUSED = 2
    TIMEOUT = 3
    UNREACHABLE = 4
    EGRESS_DENIED = 5
    SECRET_LOST = 6
    ACCESS_LOST = 7


@dataclass(frozen=True, slots=True)
class About:
    """What of a notification webhooks are chosen by; ``state`` is the turn's."""

    kind: Kind
    state: int
    handler: str
    workspace_id: str
    conversation_id: str


@dataclass(frozen=True, slots=True)
class Note:
    """A notification that is to be told: to whose turn it is, and to webhooks.

    ``body`` is the contract's Event. ``about`` is None of one that is for the user alone.
    """

    notification_id: str
    creator: str
    created_us: int
    body: bytes
    about: About | None


@dataclass(frozen=True, slots=True)
class Secret:
    """A key that signs; ``until_us`` is None of the newest, which has no end."""

    key: bytes
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a webhook is told; what is empty limits nothing."""

    kinds: frozenset[int] = frozenset()
    states: frozenset[int] = frozenset()
    handlers: frozenset[str] = frozenset()
    workspaces: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is told of turns: of those of ``owner``, a user or a workspace.

    ``said`` is what its owner says of it, as the contract's Webhook. ``secrets`` are the newest
    first; none, if they were sealed by another installation. ``full_us`` is since when so much
    waits for it that more is not kept, ``dropped`` how much was not, or not tried to its end.
    """

    webhook_id: str
    owner: str
    creator: str
    created_us: int
    url: str
    said: bytes
    wants: Filter
    secrets: tuple[Secret, ...]
    etag: str = ""
    disabled: DisabledReason = DisabledReason.NONE
    failing_us: int | None = None
    full_us: int | None = None
    dropped: int = 0

    @property
    def workspace_id(self) -> str:
        """Whose it is; "" of a user's."""
        kind, _, name = self.owner.partition("/")
        return name if kind == "workspaces" else ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of posting; ``retry_after_s`` is what the answer asks for."""

    outcome: Outcome
    status: int = 0
    retry_after_s: float = 0.0
    took_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notification on its way to a webhook; ``next_us`` is None if it is not tried any more.

    ``body`` is what is posted.
    """

    webhook_id: str
    notification_id: str
    host: str
    created_us: int
    body: bytes
    state: State = State.WAITING
    attempts: int = 0
    outcome: Outcome = Outcome.NONE
    status: int = 0
    attempt_us: int | None = None
    next_us: int | None = None
    claim: str = ""

    @property
    def conversation_id(self) -> str:
        """Which conversation it is about."""
        found: str = json.loads(self.body)["data"]["conversationId"]
        return found


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that is to be posted now; its webhook, which ``creator`` made, may be failing."""

    webhook_id: str
    notification_id: str
    host: str
    failing: bool
    creator: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Which delivery it is."""
        return self.webhook_id, self.notification_id


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this server tries now, and where to."""

    delivery: Delivery
    webhook: Webhook


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a delivery, and of its webhook, behind an attempt."""

    state: State
    next_us: int | None
    disable: DisabledReason = DisabledReason.NONE
