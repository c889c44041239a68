"""A provider's endpoints over HTTP: little time, little memory, and no detours."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from antiphon_server.auth.ports.identity_providers import Unanswered
from antiphon_server.runtime.errors.domain_error import DomainError
from antiphon_server.runtime.net.http_pool import HttpPool
from antiphon_server.runtime.net.retry_after import seconds_of

if TYPE_CHECKING:
    import aiohttp

TIMEOUT_S = 10.0
MOST_BYTES = 512 * 1024
MOST_WAIT_S = 60.0


class OidcWire:
    """A :class:`~antiphon_server.auth.ports.identity_providers.ProviderWire` on aiohttp.

    A redirect is an answer like any other that is not JSON: it is not followed. What a form brought
    may be at fault where it is refused with a status of 400 to 499, whatever stands there.
    """

    def __init__(
        self, pool: HttpPool, timeout: float = TIMEOUT_S, most_bytes: int = MOST_BYTES
    ) -> None:
        self._pool = pool
        self._timeout = timeout
        self._most_bytes = most_bytes

    async def get(self, url: str) -> dict[str, Any]:
        status, document = await self._ask("GET", url)
        if status != 200:
            raise _unanswered(url, f"HTTP status {status}")
        return document

    async def post(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[int, dict[str, Any]]:
        return await self._ask("POST", url, data=dict(form), headers=headers)

    async def _ask(self, method: str, url: str, **options: Any) -> tuple[int, dict[str, Any]]:
        session = await self._pool.session()
        import aiohttp

        try:
            async with (
                asyncio.timeout(self._timeout),
                session.request(method, url, allow_redirects=False, **options) as response,
            ):
                status = response.status
                if status == 429:
                    wait = seconds_of(response.headers.get("Retry-After", ""))
                    most = None if wait is None else min(wait, MOST_WAIT_S)
                    raise _unanswered(url, "HTTP status 429", is_failure=False, retry_after_s=most)
                found = _read(await self._body(response))
                if found is None:
                    told, by_form = f"HTTP status {status}, no JSON object", method == "POST"
                    raise _unanswered(url, told, is_failure=not (by_form and is_refusal(status)))
                return status, found
        except (aiohttp.ClientError, DomainError, OSError, ValueError) as error:
            raise _unanswered(url, type(error).__name__) from error

    async def _body(self, response: "aiohttp.ClientResponse") -> bytes:
        """All of it. Raises ValueError if it is too much."""
        body = bytearray()
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > self._most_bytes:
                raise ValueError("too long")
        return bytes(body)


def _read(body: bytes) -> dict[str, Any] | None:
    """The JSON object that this is; None if it is none."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def is_refusal(status: int) -> bool:
    """Whether that HTTP status says that the request is at fault."""
    return 400 <= status < 500


def _unanswered(
    url: str, why: str, *, is_failure: bool = True, retry_after_s: float | None = None
) -> Unanswered:
    sentence = f"{loggable(url)}: {why}"
    return Unanswered(sentence, is_failure=is_failure, retry_after_s=retry_after_s)


def loggable(url: str) -> str:
    """A URL as logs may show it: without user, query and fragment, which may hold secrets."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"
