"""Requests to authorization servers: by the connection's own transport, bounded, and calm."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeAlias

import httpx2
from mcp.client.auth import OAuthFlowError, OAuthRegistrationError, OAuthTokenError

from antiphon_server.integration.connections.faults import fault_of, unreachable
from antiphon_server.integration.connections.mcp.adapters.bounded_http import BoundedTransport
from antiphon_server.integration.connections.mcp.ports import Outside
from antiphon_server.runtime.errors.domain_error import DomainError, Reason
from antiphon_server.runtime.net.egress.names import denied, place_of

MOST_BYTES = 256 * 1024
"""Of metadata, and of any other answer of an authorization server."""
REQUEST_S = 10.0
Send: TypeAlias = Callable[[httpx2.Request], Awaitable[httpx2.Response]]
logging.getLogger("mcp.client.auth.oauth2").setLevel(logging.CRITICAL)
"""It writes whole answers into the log, which may repeat what they were sent."""


@asynccontextmanager
async def exchanging(url: str, outside: Outside) -> AsyncGenerator[Send]:
    """Sends requests that belong to the connection at ``url``.

    What begins with https stays with it. Raises DomainError EGRESS_DENIED.
    """
    transport = BoundedTransport(outside.transport(), MOST_BYTES)
    timeout = httpx2.Timeout(REQUEST_S)
    async with httpx2.AsyncClient(transport=transport, timeout=timeout, trust_env=False) as client:

        async def send(request: httpx2.Request) -> httpx2.Response:
            checked(url, str(request.url))
            return await client.send(request, follow_redirects=False)

        yield send


def checked(url: str, onward: str) -> str:
    """``onward``, to which the connection at ``url`` leads. Raises DomainError EGRESS_DENIED."""
    place = place_of(onward)
    if place_of(url).encrypted and not place.encrypted:
        raise denied(place.host, "it would be told without encryption what was encrypted")
    if place.scheme not in ("http", "https"):
        raise denied(place.host, "it is no URL of http or https")
    return onward


@contextmanager
def explained(connection: str) -> Generator[None]:
    """Whatever goes wrong becomes a DomainError, which repeats no one's words."""
    try:
        yield
    except (OAuthRegistrationError, OAuthTokenError) as error:
        refused = isinstance(error, OAuthRegistrationError)
        what = "to register this installation, so give a client id" if refused else "the code"
        raise failed(connection, f"the authorization server refused {what}") from error
    except OAuthFlowError as error:
        raise failed(connection, "what the servers say of themselves fits not together") from error
    except (TimeoutError, httpx2.HTTPError, httpx2.StreamError) as error:
        raise unreachable(connection, fault_of(error)) from error
    except (ValueError, httpx2.InvalidURL) as error:
        raise failed(connection, "an answer was not understood") from error


def failed(connection: str, why: str) -> DomainError:
    """A consent that came to nothing."""
    return DomainError(Reason.AUTHORIZATION_FAILED, connection=connection, why=why)
