"""Devices that ask to be signed in from elsewhere (RFC 8628)."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from antiphon_server.auth.model import GRACE, SECOND
from antiphon_server.runtime.access.principal import SessionId, UserId
from antiphon_server.runtime.encoding.open_enum import OpenIntEnum
from antiphon_server.runtime.net.addresses import region

LIFE = 600 * SECOND
INTERVAL = 5 * SECOND
"""Between two questions at first, and what each hasty one adds (RFC 8628, 3.5)."""

MOST_KEPT_OF_USER = 20
"""How many that one user has let in, and that have no session yet, make no room for others."""


class DeviceLoginState(OpenIntEnum):
    """How far the login is."""

    PENDING = 1
    APPROVED = 2
    DENIED = 3
    COLLECTED = 4
    """Its device was told that it stays out, or has its session."""


class Answer(Enum):
    """What a device is told that asks."""

    PENDING = auto()
    TOO_SOON = auto()
    DENIED = auto()
    APPROVED = auto()
    """It may have a session, this once."""
    AGAIN = auto()
    """It had one moments ago; perhaps it never learned of it."""
    OVER = auto()


@dataclass(frozen=True, slots=True)
class DeviceLogin:
    """One device that asks. ``device_hash`` is of its secret, ``user_hash`` of what it shows.

    ``interval`` is how long it has to wait between two questions, ``ask_time`` when it last
    asked. ``user_id`` and ``password_version`` are those of whoever let it in, of that time,
    ``session_id`` the session in which they did; ``opened`` is what the device got.
    """

    device_hash: bytes = field(repr=False)
    user_hash: bytes = field(repr=False)
    device: str
    address: str
    create_time: int
    expire_time: int
    interval: int = INTERVAL
    ask_time: int = 0
    state: DeviceLoginState = DeviceLoginState.PENDING
    user_id: UserId | None = None
    password_version: int | None = None
    session_id: SessionId | None = None
    opened: SessionId | None = None

    def undecided(self, now: int) -> bool:
        """Whether somebody may still decide about it."""
        return self.state is DeviceLoginState.PENDING and now < self.expire_time


def asked(login: DeviceLogin, now: int) -> tuple[DeviceLogin, Answer]:
    """The login after its device asked, and what to tell it."""
    if login.opened is not None and abs(now - login.ask_time) <= GRACE:
        return login, Answer.AGAIN
    if now >= login.expire_time or login.state is DeviceLoginState.COLLECTED:
        return login, Answer.OVER
    if login.state is DeviceLoginState.APPROVED:
        return login, Answer.APPROVED
    if now < login.ask_time + login.interval:
        slower = login.interval + INTERVAL
        return replace(login, interval=slower, ask_time=now), Answer.TOO_SOON
    login = replace(login, ask_time=now)
    if login.state is DeviceLoginState.PENDING:
        return login, Answer.PENDING
    return replace(login, state=DeviceLoginState.COLLECTED), Answer.DENIED


def over(login: DeviceLogin, now: int) -> bool:
    """Whether nothing more can come of it, not even an answer again."""
    answered = login.opened is None or now > login.ask_time + GRACE
    return now >= login.expire_time and answered


def claimed(login: DeviceLogin, session_id: SessionId, now: int) -> DeviceLogin | None:
    """The login once its device got that session; None if it is to have none."""
    if login.state is not DeviceLoginState.APPROVED or now >= login.expire_time:
        return None
    state = DeviceLoginState.COLLECTED
    return replace(login, state=state, ask_time=now, opened=session_id)


def crowding(logins: Sequence[DeviceLogin]) -> DeviceLogin | None:
    """Which of too many logins makes room for another; None if none has to.

    Those that were let in need not, but for more than ``MOST_KEPT_OF_USER`` of one user.

    The oldest of the address that has most of them, in the region that has most: whoever floods
    pushes out what is theirs, however many addresses they have.
    """
    regions = Counter(region(login.address) for login in logins)
    addresses = Counter(login.address for login in logins)

    def crowd(login: DeviceLogin) -> tuple[int, int, int]:
        return regions[region(login.address)], addresses[login.address], -login.create_time

    return max(_expendable(logins), key=crowd, default=None)


def _expendable(logins: Sequence[DeviceLogin]) -> Iterator[DeviceLogin]:
    kept: Counter[UserId | None] = Counter()
    for login in sorted(logins, key=lambda login: login.create_time, reverse=True):
        if login.state is DeviceLoginState.APPROVED and kept[login.user_id] < MOST_KEPT_OF_USER:
            kept[login.user_id] += 1
        else:
            yield login
