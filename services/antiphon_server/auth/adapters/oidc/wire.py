"""A provider's endpoints over HTTP: little time, little memory, and no detours."""

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from antiphon_server.auth.ports.identity_providers import Unanswered
from antiphon_server.runtime.http_pool import HttpPool

if TYPE_CHECKING:
    import aiohttp

TIMEOUT_S = 10.0
MOST_BYTES = 512 * 1024

log = logging.getLogger(__name__)


class OidcWire:
    """A :class:`~antiphon_server.auth.ports.identity_providers.ProviderWire` on aiohttp.

    A redirect is an answer like any other that is not JSON: it is not followed.
    """

    def __init__(
        self, pool: HttpPool, timeout: float = TIMEOUT_S, most_bytes: int = MOST_BYTES
    ) -> None:
        self._pool = pool
        self._timeout = timeout
        self._most_bytes = most_bytes

    async def get(self, url: str) -> dict[str, Any]:
        """See :meth:`ProviderWire.get`."""
        status, document = await self._ask("GET", url)
        if status != 200:
            raise _unanswered(url, f"HTTP status {status}")
        return document

    async def post(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[int, dict[str, Any]]:
        """See :meth:`ProviderWire.post`."""
        return await self._ask("POST", url, data=dict(form), headers=headers)

    async def _ask(self, method: str, url: str, **options: Any) -> tuple[int, dict[str, Any]]:
        session = await self._pool.session()
        import aiohttp

        try:
            async with (
                asyncio.timeout(self._timeout),
                session.request(method, url, allow_redirects=False, **options) as response,
            ):
                return response.status, _read(await self._body(response), url)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _unanswered(url, type(error).__name__) from error

    async def _body(self, response: "aiohttp.ClientResponse") -> bytes:
        """All of it. Raises ValueError if it is too much."""
        body = bytearray()
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > self._most_bytes:
                raise ValueError("too long")
        return bytes(body)


def _read(body: bytes, url: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _unanswered(url, "no JSON") from error
    if not isinstance(found, dict):
        raise _unanswered(url, "no JSON object")
    return found


def _unanswered(url: str, why: str) -> Unanswered:
    """The operator finds the cause in the log, without what the URL may carry."""
    parts = urlsplit(url)
    log.warning("an identity provider fails at %s%s: %s", parts.netloc, parts.path, why)
    return Unanswered(why)
