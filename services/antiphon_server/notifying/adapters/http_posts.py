"""Posting by HTTP to where egress allows: bounded in time and size, redirects not followed."""

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from antiphon_server.notifying.model import Attempt, Outcome, Webhook
from antiphon_server.notifying.ports import Posts
from antiphon_server.notifying.signing import headers, valid
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.net.egress.bodies import BodyGarbled, BodyTooLarge
from antiphon_server.runtime.net.egress.names import place_of
from antiphon_server.runtime.net.egress.policy import EgressPolicy
from antiphon_server.runtime.net.egress.requests import body_of
from antiphon_server.runtime.net.http_pool import HttpPool
from antiphon_server.runtime.net.retry_after import seconds_of

if TYPE_CHECKING:
    import aiohttp

    from antiphon_server.notifying.adapters.workspace_hosts import WorkspaceHosts

TIMEOUT_S = 15.0
REST_S = 1.0
MOST_BYTES = 16 * 1024
"""So much of an answer is read, so that its connection can be used again; nothing is made of it."""
TAKEN = range(200, 300)


class HttpPosts(Posts):
    """See :class:`~antiphon_server.notifying.ports.Posts`. ``pool`` is guarded by ``policy``."""

    def __init__(self, pool: HttpPool, policy: EgressPolicy, hosts: "WorkspaceHosts") -> None:
        self._pool, self._policy, self._hosts = pool, policy, hosts

    def host(self, url: str) -> str:
        """See :meth:`Posts.host`."""
        return place_of(url).authority

    async def check(self, owner: str, url: str) -> None:
        """See :meth:`Posts.check`."""
        kind, _, workspace_id = owner.partition("/")
        policy = self._policy
        if kind == "workspaces" and (only := await self._hosts.of(workspace_id)):
            policy = policy.within(only)
        policy.check_host(place_of(url).host)

    async def post(self, webhook: Webhook, notification_id: str, body: bytes) -> Attempt:
        """See :meth:`Posts.post`."""
        began, now_us = time.monotonic(), time.time_ns() // 1000
        keys = [it.key for it in valid(webhook.secrets, now_us)]
        if not keys:
            return Attempt(Outcome.SECRET_LOST)
        signed = headers(notification_id, now_us // 1_000_000, body, keys)
        outcome, status, retry_after_s = await self._tried(webhook, signed, body)
        return Attempt(outcome, status, retry_after_s, time.monotonic() - began)

    async def _tried(
        self, webhook: Webhook, signed: Mapping[str, str], body: bytes
    ) -> tuple[Outcome, int, float]:
        import aiohttp

        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self.check(webhook.owner, webhook.url)
                return await self._answered(webhook.url, signed, body)
        except TimeoutError:
            return Outcome.TIMEOUT, 0, 0.0
        except DomainError as error:
            denied = error.reason is Reason.EGRESS_DENIED
            return Outcome.EGRESS_DENIED if denied else Outcome.UNREACHABLE, 0, 0.0
        except (aiohttp.ClientError, OSError, ValueError) as error:
            denied = isinstance(error.__cause__, DomainError) or _is_denied(error)
            return Outcome.EGRESS_DENIED if denied else Outcome.UNREACHABLE, 0, 0.0

    async def _answered(
        self, url: str, signed: Mapping[str, str], body: bytes
    ) -> tuple[Outcome, int, float]:
        import yarl

        session = await self._pool.session()
        async with session.post(
            yarl.URL(url, encoded=True),
            data=body,
            headers={**signed, "Content-Type": "application/json"},
            allow_redirects=False,
        ) as response:
            status = response.status
            after_s = seconds_of(response.headers.get("Retry-After", "")) or 0.0
            await _read_rest(response)
        return Outcome.TAKEN if status in TAKEN else Outcome.REFUSED, status, after_s


def _is_denied(error: Exception) -> bool:
    """Whether a socket was kept from connecting (see GuardedConnector)."""
    system = getattr(error, "os_error", None)
    return isinstance(getattr(system, "__cause__", None), DomainError)


async def _read_rest(response: "aiohttp.ClientResponse") -> None:
    """Read a short answer to its end; any other loses its connection."""
    import aiohttp

    try:
        async with asyncio.timeout(REST_S):
            await body_of(response, most=MOST_BYTES)
    except (TimeoutError, BodyTooLarge, BodyGarbled, aiohttp.ClientError):
        response.close()
