"""What connections need from outside."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from antiphon_server.integration.breakers.model import Target
from antiphon_server.integration.connections.model import (
    Answered,
    Connection,
    EgressRules,
    Forwarded,
    Message,
    Status,
)
from antiphon_server.integration.tools.model import Call, Definition, Result, SourceName, ToolName
from antiphon_server.integration.tools.questions import Pause
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.concurrency.breaker import Breaker

Marks: TypeAlias = Mapping[str, str]
"""The etags of a workspace's connections by name, and of its allowlist by ""."""
Change: TypeAlias = Callable[[Connection | None], Connection | None]
"""From what is stored to what shall be, None for none; what it raises leaves all as it is."""


class Link(Protocol):
    """A way to what is outside, which opens itself when it is first used."""

    async def discover(self) -> Mapping[ToolName, Definition]:
        """Ask whether it is there, and which tools it has.

        Raises DomainError CONNECTION_UNAVAILABLE, EGRESS_DENIED, and NOT_FOUND for a secret.
        """
        ...

    async def call(self, call: Call) -> Result | Pause:
        """Call a tool; cancelling it closes what it uses.

        Raises DomainError TOOL_FAILED, TOOL_TIMEOUT, CONNECTION_UNAVAILABLE and EGRESS_DENIED, if
        it was not sent, and TOOL_CALL_LOST, if it was, and the way broke before the answer.
        """
        ...

    async def close(self) -> None:
        """Release everything."""
        ...


@runtime_checkable
class Forwards(Protocol):
    """A link that also takes requests as people write them."""

    async def forward(self, request: Forwarded) -> Answered:
        """Send it, and return its answer; cancelling it closes what it uses.

        Raises DomainError FORWARD_UNSUPPORTED for a request of another kind, and what ``Link.call``
        does.
        """
        ...


@runtime_checkable
class Channels(Protocol):
    """A link that also opens WebSockets for people."""

    async def open(self) -> "Socket":
        """One of its own, signed; whoever opens it closes it.

        Raises DomainError CONNECTION_UNAVAILABLE, EGRESS_DENIED, and NOT_FOUND for a secret.
        """
        ...


class Kind(Protocol):
    """Makes links of one kind of target."""

    async def check(self, connection: Connection) -> None:
        """Check what can be checked without asking anybody.

        Raises DomainError INVALID_ARGUMENT, EGRESS_DENIED, NOT_FOUND, UNIMPLEMENTED.
        """
        ...

    async def link(self, connection: Connection, changed: Callable[[], None]) -> Link:
        """A link, which speaks to nobody yet; ``changed`` is told of other tools.

        Raises DomainError CONNECTION_UNAVAILABLE.
        """
        ...


LOST = 1006
"""The code of a WebSocket that nobody has closed (RFC 6455)."""


class SocketClosed(Exception):
    """A WebSocket is over: its ``code`` (RFC 6455) and ``reason``, as the other side has said."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"closed with {code}")
        self.code, self.reason = code, reason


class Socket(Protocol):
    """An open WebSocket. One task receives; others may send meanwhile."""

    async def send(self, message: Message) -> None:
        """Send; waits while the other side does not read. Raises SocketClosed."""
        ...

    async def receive(self) -> Message:
        """The next message; answers pings meanwhile. Raises SocketClosed."""
        ...

    async def ping(self) -> None:
        """Return when the other side has answered a ping, which somebody has to receive.

        Raises SocketClosed.
        """
        ...

    async def close(self) -> None:
        """Say good-bye and let go, within a second."""
        ...


class ConnectionStore(Protocol):
    """Keeps workspaces' connections."""

    async def of(self, workspace_id: str) -> Sequence[Connection]:
        """All of a workspace's, by name, with the hosts that they may call."""
        ...

    async def marks(self, workspace_id: str) -> Marks:
        """What differs as soon as :meth:`of` does."""
        ...

    async def change(
        self, workspace_id: str, name: SourceName, change: Change
    ) -> Connection | None:
        """Change one by what is stored: its creation and etag are set here.

        Raises DomainError LIMIT_EXCEEDED and what ``change`` raises.
        """
        ...


class EgressStore(Protocol):
    """Keeps which hosts workspaces' connections may call."""

    async def rules(self, workspace_id: str) -> EgressRules:
        """A workspace's."""
        ...

    async def set_rules(self, workspace_id: str, rules: EgressRules) -> EgressRules:
        """Set them, if ``rules.etag`` is that which is stored, or "".

        Raises DomainError ETAG_MISMATCH.
        """
        ...


class Switchboard(Protocol):
    """Opens and closes breakers as operators say."""

    def add(self, target: Target, breaker: Breaker) -> None:
        """Open and close this one, too; it begins as was said last."""
        ...

    def remove(self, target: Target, breaker: Breaker) -> None:
        """Leave this one alone from now on."""
        ...


class Documents(Protocol):
    """Keeps what was given along with connections."""

    async def document(self, connection: Connection) -> bytes:
        """What was given with one. Raises DomainError NOT_FOUND if it has none any more."""
        ...


class Told(Protocol):
    """Is told when a connection's state changes, or it is removed (None)."""

    def __call__(self, connection: Connection, status: Status | None) -> Awaitable[None]:
        """Tell."""
        ...


class Begun(Protocol):
    """A consent that was begun."""

    @property
    def url(self) -> str:
        """The page that a person opens."""
        ...

    @property
    def state(self) -> str:
        """What the redirect that belongs to it brings."""
        ...

    @property
    def pending(self) -> str:
        """What is needed to end it: a secret."""
        ...


class Authorizer(Protocol):
    """Speaks with the authorization servers of connections."""

    async def begin(self, connection: Connection, redirect_uri: str) -> Begun:
        """Begin to ask a person.

        Raises DomainError AUTHORIZATION_FAILED, CONNECTION_UNAVAILABLE, EGRESS_DENIED.
        """
        ...

    async def complete(self, connection: Connection, pending: str, code: str, issuer: str) -> None:
        """Exchange the code, and keep what is granted.

        Raises DomainError AUTHORIZATION_FAILED, CONNECTION_UNAVAILABLE, EGRESS_DENIED.
        """
        ...


class Grants(Protocol):
    """Keeps what people have granted, and what they have begun to."""

    async def begin(self, workspace_id: str, key: str, began: str, seconds: int) -> None:
        """Keep what was begun for so long. Raises DomainError LIMIT_EXCEEDED."""
        ...

    async def take(self, workspace_id: str, key: str) -> str | None:
        """What was begun, once."""
        ...

    async def forget(self, workspace_id: str, name: SourceName) -> None:
        """Remove what was granted a connection."""
        ...


class Ungrant(Protocol):
    """Removes what was granted a connection."""

    async def __call__(self, workspace_id: str, name: SourceName) -> None:
        """Remove it, if there is anything."""
        ...


class RelayAccess(Protocol):
    """Whether people may use a workspace's connections, while they do."""

    async def admit(self, principal: Principal, workspace_id: str) -> None:
        """Return if ``principal`` may begin. Raises DomainError as the contract's rule says."""
        ...

    async def recheck(self, principal: Principal, token: str, workspace_id: str) -> None:
        """Return if they may go on. Raises SESSION_REVOKED, TOKEN_INVALID, too."""
        ...

    async def verified(self, token: str) -> Principal:
        """Who a new token speaks for. Raises DomainError TOKEN_INVALID, TOKEN_EXPIRED."""
        ...
