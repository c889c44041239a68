"""Consents whose two halves are two calls, maybe on two servers."""

import asyncio
from dataclasses import dataclass, replace

from antiphon_server.integration.connections.mcp.adapters.authorizing import (
    Pending,
    begin,
    complete,
    refusal,
)
from antiphon_server.integration.connections.mcp.adapters.exchange import exchanging, explained
from antiphon_server.integration.connections.mcp.adapters.renewal import Grant
from antiphon_server.integration.connections.mcp.model import Config, Endpoint, OAuth
from antiphon_server.integration.connections.mcp.ports import Outside


@dataclass(frozen=True, slots=True)
class Asked:
    """See :class:`~antiphon_server.integration.connections.mcp.authorizing.Begins`."""

    url: str
    state: str
    pending: str


async def begun(config: Config, outside: Outside) -> Asked:
    """See :func:`~antiphon_server.integration.connections.mcp.authorizing.begin`."""
    url, credential = _endpoint(config)
    grant = Grant(config.name, url, credential, outside)
    await grant.load()
    with explained(config.name):
        async with asyncio.timeout(config.limits.open_s), exchanging(url, outside) as send:
            asked = await refusal(url, send)
            found = await begin(url, credential, grant.granted, asked, send)
    return Asked(found.url, found.state, found.pending.model_dump_json(exclude_none=True))


async def completed(config: Config, outside: Outside, pending: str, code: str, issuer: str) -> None:
    """See :func:`~antiphon_server.integration.connections.mcp.authorizing.complete`."""
    url, credential = _endpoint(config)
    found = Pending.model_validate_json(pending)
    endpoint = Endpoint(url, replace(credential, redirect_uri=found.redirect_uri))
    with explained(config.name):
        async with asyncio.timeout(config.limits.open_s), exchanging(url, outside) as send:
            granted = await complete(endpoint, found, code, issuer, send)
    await Grant(config.name, url, credential, outside).put(granted)


def _endpoint(config: Config) -> tuple[str, OAuth]:
    target = config.target
    assert isinstance(target, Endpoint)
    assert isinstance(target.credential, OAuth)
    return target.url, target.credential
