"""What a new session is: how long it may live, and what it may be used for."""

from dataclasses import dataclass

from antiphon_server.auth.model import DAY, ApiKey, Origin, Session, User
from antiphon_server.auth.service.users import printable
from antiphon_server.runtime.access.principal import SessionId


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """How long sessions live: unused, and at most. Microseconds."""

    idle: int = 30 * DAY
    longest: int = 180 * DAY


def new_session(
    session_id: SessionId,
    user: User,
    origin: Origin,
    key: ApiKey | None,
    first_token: bytes,
    now: int,
    settings: SessionSettings,
) -> Session:
    """A session that outlives neither the longest time nor the key that opened it.

    It is limited to what its key is limited to.
    """
    final = now + settings.longest
    if key is not None and key.expire_time is not None:
        final = min(final, key.expire_time)
    return Session(
        session_id=session_id,
        user_id=user.user_id,
        device=printable(origin.device),
        api_key_id=key.key_id if key else None,
        create_time=now,
        last_use_time=now,
        expire_time=min(now + settings.idle, final),
        final_expire_time=final,
        generation=0,
        refresh_hash=first_token,
        previous_hash=None,
        rotate_time=now,
        method=origin.method,
        provider=origin.provider,
        first_address=origin.address,
        last_address=origin.address,
        scopes=key.scopes if key else None,
    )
