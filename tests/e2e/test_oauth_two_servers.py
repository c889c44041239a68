"""Two servers on one Postgres share what a person has granted."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from antiphon_client import Client
from tests.e2e.consents import LOCAL, authorized, called, notes
from tests.e2e.process import all_of
from tests.e2e.server import ONE_FOR_MANY, ServerProcess
from tests.fakes.authorized_mcp import MORE, authorized_mcp
from tests.fakes.postgres import Postgres

EACH = 50


@asynccontextmanager
async def _two(home: Path, postgres: Postgres) -> AsyncIterator[tuple[Client, Client, str]]:
    variables = {
        "ANTIPHON_DATABASE_URL": await postgres.database(),
        "ANTIPHON_SECRET_KEY": base64.b64encode(os.urandom(32)).decode(),
        **LOCAL,
        **ONE_FOR_MANY,
    }
    first, second = (ServerProcess(home / name, variables=variables) for name in "ab")
    async with (
        all_of([first]),
        all_of([second]),
        first.client() as one,
        second.client(first.key) as other,
    ):
        made = await one.create_conversation()
        yield one, other, made.workspace_id


async def test_a_consent_is_begun_at_one_and_ended_at_the_other(
    tmp_path: Path, postgres: Postgres
) -> None:
    """Both call by it; 100 calls that are refused at once at both renew it once."""
    async with authorized_mcp() as issuer, _two(tmp_path, postgres) as (one, other, workspace):
        await one.create_connection(workspace, notes(issuer))
        await authorized(one, workspace, ends=other)
        assert [await called(it, workspace) for it in (one, other)] == ["noted: it"] * 2
        for times in (1, 2):
            issuer.expire()
            calls = (called(it, workspace) for it in (one, other) for _ in range(EACH))
            assert await asyncio.gather(*calls) == ["noted: it"] * 2 * EACH
            assert (issuer.refreshed, issuer.reused) == (times, 0)


async def test_a_consent_at_the_other_server_ends_what_was_missing(
    tmp_path: Path, postgres: Postgres
) -> None:
    """The server that was refused has a token still, which lacks the scope: it looks anew."""
    async with authorized_mcp() as issuer, _two(tmp_path, postgres) as (one, other, workspace):
        await one.create_connection(workspace, notes(issuer))
        await authorized(one, workspace)
        assert [await called(it, workspace) for it in (one, other)] == ["noted: it"] * 2
        issuer.wanted = {MORE}
        first, second = await asyncio.gather(
            *(called(it, workspace) for it in (one, other)), return_exceptions=True
        )
        assert [getattr(it, "reason", it) for it in (first, second)] == [
            "AUTHORIZATION_REQUIRED"
        ] * 2
        await authorized(other, workspace)
        assert [await called(it, workspace) for it in (one, other)] == ["noted: it"] * 2
