"""A request by aiohttp to what users name: few redirects, and none that tells more than it may."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from antiphon_server.runtime.net.egress.bodies import whole
from antiphon_server.runtime.net.egress.names import Place, denied, place_of

if TYPE_CHECKING:
    import aiohttp

MOST_REDIRECTS = 5
_SAME_METHOD = (307, 308)
_ANY_REDIRECT = (301, 302, 303, *_SAME_METHOD)
_UNSIGNED = frozenset({"accept", "accept-encoding", "accept-language", "content-type"})
"""What other hosts are told, too; all other headers may say who calls."""


@asynccontextmanager
async def asked(
    session: "aiohttp.ClientSession",
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    **options: Any,
) -> AsyncIterator["aiohttp.ClientResponse"]:
    """The answer to a request by a session of a guarded pool (``HttpPool``).

    Redirects of GET and HEAD are followed, and of others those that keep the method; another host
    is told no header that may be a credential. Raises DomainError EGRESS_DENIED, also for one from
    https to http, and what aiohttp raises.
    """
    here, told = place_of(url), dict(headers or {})
    for left in range(MOST_REDIRECTS, -1, -1):
        response = await session.request(
            method, url, headers=told, allow_redirects=False, **options
        )
        async with response:
            target = _target(method, response)
            if target is None or not left:
                yield response
                return
        url = _joined(url, target)
        there = _following(here, url)
        if there != here:
            told = {name: told[name] for name in told if name.lower() in _UNSIGNED}
            options.pop("auth", None)
        here = there


def _target(method: str, response: "aiohttp.ClientResponse") -> str | None:
    followed = _ANY_REDIRECT if method in ("GET", "HEAD") else _SAME_METHOD
    return response.headers.get("Location") if response.status in followed else None


def _joined(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError:  # brackets around what is no address
        raise denied("-", "the redirect leads to no URL") from None


def _following(here: Place, url: str) -> Place:
    there = place_of(url)
    if here.encrypted and not there.encrypted:
        raise denied(there.host, "it would be told without encryption what was encrypted")
    return there


async def body_of(response: "aiohttp.ClientResponse", *, most: int) -> bytes:
    """A whole answer, at most so many bytes once it is unpacked.

    Raises BodyTooLarge, BodyGarbled, and what aiohttp raises.
    """
    packing = response.headers.get("Content-Encoding", "")
    return await whole(response.content.iter_any(), packing, most=most)
