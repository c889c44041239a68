"""A server that stops finishes what was begun, and whoever has to know is told."""

import asyncio
import sqlite3
from pathlib import Path

from antiphon_server.app.ground import lay
from antiphon_server.app.listening import listen
from antiphon_server.app.schemas import DATABASE_FILE
from antiphon_server.app.starting import start
from antiphon_server.app.wiring import compose
from antiphon_server.auth.model import LoginMethod, Origin
from antiphon_server.auth.service.users import NewUser
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.health import Health
from antiphon_server.settings import Settings
from tests.auth.world import OPERATOR


async def test_an_end_that_is_under_way_is_told_before_the_log_closes(tmp_path: Path) -> None:
    """Not at the next start only: until then streams elsewhere would stay open."""
    settings = Settings(port=0, admin_port=None, data_dir=tmp_path, model="scripted/echo")
    finishing = asyncio.Event()
    async with Lifecycle() as lifecycle:
        ground = await lay(settings, tmp_path, lifecycle)
        services = compose(ground)
        auth = services.auth
        assert auth is not None
        close = auth.completion.close

        async def finish() -> None:
            finishing.set()
            await close()

        auth.completion.close = finish  # type: ignore[method-assign]
        await start(services, ground, lifecycle, Health())
        await listen(services, ground, lifecycle, Health(), "")
        user = await auth.users.create(OPERATOR, NewUser("ann"))
        opened = await auth.sessions.open(user, Origin(LoginMethod.PASSWORD))
        session_id = opened.tokens.session_id

        async def revoke_late() -> None:
            await finishing.wait()
            await auth.sessions.revoke(OPERATOR, session_id)

        auth.completion.begin(revoke_late())
    with sqlite3.connect(tmp_path / DATABASE_FILE) as stored:
        query = "SELECT announced FROM auth_sessions WHERE session_id = ?"
        assert stored.execute(query, (session_id,)).fetchall() == [(1,)]
