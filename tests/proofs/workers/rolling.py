"""Two servers and all workers are restarted one after the other, while many turns run."""

import asyncio
from pathlib import Path

from tests.proofs.workers.processes import Came, Fleet, fleet, judged

WORKERS = 4


async def rolling_of(home: Path, turns: int, message: str = "120 500") -> Came:
    """So many turns are running when it begins."""
    came = Came()
    async with fleet(home, WORKERS) as here:
        clients = [here.client(it) for it in here.servers]
        begun = [await here.begun(clients[at % 2], message) for at in range(turns)]
        for client in clients:
            await client.close()
        await _restart_servers(here, came)
        again = {it for it, count in here.lines("begun").items() if count != 1}
        if again:
            came.wrong.append(f"{len(again)} of {turns} began anew when servers were restarted")
        running = turns - len(here.lines("ended"))
        came.counts["turns running when workers were restarted"] = running
        await _restart_workers(here)
        await judged(here, begun, came)
        began, stopped = here.lines("begun").total(), here.lines("stopped").total()
        came.counts["begun"], came.counts["handed over"] = began, stopped
        if began != turns + stopped:
            came.wrong.append(f"{began} begun, {stopped} handed over, of {turns}")
    return came


async def _restart_servers(here: Fleet, came: Came) -> None:
    for server in here.servers:
        here.lead_away(server)
        if code := await server.terminate():
            came.wrong.append(f"a server ended by {code}")
        await server.start()
        await here.served(WORKERS)


async def _restart_workers(here: Fleet) -> None:
    for old in list(here.workers):
        await here.new_worker(here.servers[len(here.all) % 2])
        await here.served(len(here.workers))
        here.workers.remove(old)
        await asyncio.gather(old.process.terminate(), return_exceptions=True)
