"""The ways from one service to the others, and what guards the calls that it takes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import grpc

from antiphon_server.runtime.access.principal import SessionId
from antiphon_server.runtime.access.rules import AccessPolicy, TokenRechecker


@dataclass(frozen=True, slots=True)
class Links:
    """How a service reaches those that it calls, wherever they run.

    ``internal`` speaks as the service itself, ``on_behalf`` with the credentials that each call
    brings. ``to_server`` leads to the address of another server that does the same.
    ``elsewhere`` are the services that other processes run; where there are any, ``trusted``
    returns when they take this process's word. ``to_peer`` leads to another server that does the
    same, in the service's own name.
    """

    internal: grpc.aio.Channel
    on_behalf: grpc.aio.Channel
    to_server: Callable[[str], grpc.aio.Channel]
    to_peer: Callable[[str], grpc.aio.Channel]
    elsewhere: frozenset[str]
    trusted: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Guards:
    """Who calls and what they may, for services whose calls take long or bring messages.

    ``callers`` knows who calls; ``verifier`` what messages bring, where a grant is no token.
    ``policy`` may ask an engine outside, ``roles`` never does. Listeners given to
    ``on_session_end`` and ``on_keys_withdrawn`` are told at once.
    """

    callers: TokenRechecker
    verifier: TokenRechecker
    policy: AccessPolicy
    roles: AccessPolicy
    on_session_end: Callable[[Callable[[SessionId], None]], None]
    on_keys_withdrawn: Callable[[Callable[[], None]], None]
