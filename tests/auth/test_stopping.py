"""A server that stops finishes what was begun, and whoever has to know is told."""

import asyncio
import sqlite3
from pathlib import Path

from antiphon_server.app.infrastructure import open_infrastructure
from antiphon_server.app.listening import listen
from antiphon_server.app.schemas import DATABASE_FILE
from antiphon_server.app.starting import start
from antiphon_server.app.wiring import compose
from antiphon_server.auth.model import LoginMethod, Origin
from antiphon_server.auth.service.users import NewUser
from antiphon_server.installation import SERVICES
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.settings import Settings
from tests.auth.world import OPERATOR


async def test_an_end_that_is_under_way_is_told_before_the_log_closes(tmp_path: Path) -> None:
    """Not at the next start only: until then streams elsewhere would stay open."""
    settings = Settings(port=0, admin_port=None, data_dir=tmp_path, model="scripted/echo")
    finishing = asyncio.Event()
    async with Lifecycle() as lifecycle:
        infrastructure = await open_infrastructure(settings, tmp_path, lifecycle)
        services = compose(settings, infrastructure, SERVICES)
        auth = services.auth
        assert auth is not None
        close = auth.base.completion.close

        async def finish() -> None:
            finishing.set()
            await close()

        auth.base.completion.close = finish  # type: ignore[method-assign]
        await start(services, infrastructure, lifecycle, Health())
        await listen(services, settings, infrastructure, lifecycle, Health(), "")
        user = await auth.accounts.users.create(OPERATOR, NewUser("ann"))
        opened = await auth.accounts.sessions.open(user, Origin(LoginMethod.PASSWORD))
        session_id = opened.tokens.session_id

        async def revoke_late() -> None:
            await finishing.wait()
            await auth.accounts.sessions.revoke(OPERATOR, session_id)

        auth.base.completion.begin(revoke_late())
    with sqlite3.connect(tmp_path / DATABASE_FILE) as stored:
        query = "SELECT announced FROM auth_sessions WHERE session_id = ?"
        assert stored.execute(query, (session_id,)).fetchall() == [(1,)]
