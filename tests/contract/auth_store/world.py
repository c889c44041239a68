"""People, sessions and keys for stores."""

from dataclasses import replace

import pytest

from antiphon_server.auth.model import DAY, ApiKey, KeyId, Session, User
from antiphon_server.auth.model.openings import Opening
from antiphon_server.auth.ports import Stores
from antiphon_server.auth.ports.security_events import unrecorded
from antiphon_server.runtime.access.principal import SessionId, UserId
from antiphon_server.runtime.errors import DomainError, Reason

NOW = 1_000 * DAY
ANN = User(UserId("user_00000001"), "ann", "Ann", False, "hash", NOW)
BOB = User(UserId("user_00000002"), "bob", "Bob", True, None, NOW)


async def people(stores: Stores) -> None:
    """Make the accounts: nobody else has sessions."""
    for user in (ANN, BOB):
        await stores.users.add(user, None, unrecorded)


async def opened(stores: Stores, added: Session, most: int = 10) -> list[Session] | None:
    """Store a session; those that it ended."""
    made = await stores.sessions.add(Opening(added, most), unrecorded)
    return made.ended if made else None


def session(number: int, user: User = ANN, key: KeyId | None = None, age: int = 0) -> Session:
    """A live session, opened and last used ``age`` ago."""
    return Session(
        session_id=SessionId(f"sess_{number:08}"),
        user_id=user.user_id,
        device="test",
        api_key_id=key,
        create_time=NOW - age,
        last_use_time=NOW - age,
        expire_time=NOW + DAY,
        final_expire_time=NOW + 2 * DAY,
        generation=0,
        refresh_hash=b"1" * 32,
        previous_hash=None,
        rotate_time=NOW - age,
    )


def api_key(number: int, user: User = ANN) -> ApiKey:
    """A key that does not expire."""
    digest = number.to_bytes(32, "big")
    return ApiKey(KeyId(f"key_{number:08}"), user.user_id, "label", digest, NOW + number)


def made_with(parent: int, number: int) -> ApiKey:
    """A key of Ann's that was made with another one; 0 for none."""
    return replace(api_key(number), parent_key_id=api_key(parent).key_id if parent else None)


def ending(at: Session) -> tuple[Session, str]:
    """A rule that ends a session."""
    return replace(at, end_time=NOW, announced=False), "ended"


async def refusal(attempt: object) -> Reason:
    """Why an awaitable was refused."""
    with pytest.raises(DomainError) as caught:
        await attempt  # type: ignore[misc]
    return caught.value.reason
