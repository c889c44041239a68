"""``python -m tests.deploy.dashboard``: a mesh under load, its dashboard drawn, its alerts asked.

Two servers behind Envoy, on Postgres and Redis from wheels; ten people; a server is killed, Redis
hangs, a model fails, somebody guesses passwords. A real Prometheus scrapes all of it by our rules.
Fails if a panel shows nothing that has no words for that.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import time
from pathlib import Path

from tests.deploy.dashboard.board import Panel, alerts, filled_in, panels
from tests.deploy.dashboard.draw import Drawn, drawing
from tests.deploy.dashboard.mesh import Mesh, running
from tests.deploy.dashboard.people import live
from tests.deploy.dashboard.prometheus import SCRAPE_S, Prometheus, prometheus
from tests.repository.files import ROOT

PICTURE = ROOT / "docs" / "images" / "dashboard.svg"
QUIET_S = 6.0
WINDOW = f"{6 * SCRAPE_S}s"


async def run(home: Path, seconds: float, picture: Path) -> int:
    """Do all of it; how many panels show nothing."""
    async with running(home / "mesh") as mesh, prometheus(home / "prometheus") as server:
        following = asyncio.create_task(_follow_targets(mesh, server))
        start = time.time()
        going = await live(mesh, seconds)
        await asyncio.sleep(QUIET_S)
        end = time.time()
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
        drawn = [await _drawn(server, panel, start, end) for panel in panels()]
        truths = {name: await _times(server, expr, start, end) for name, expr in alerts().items()}
    marks = {name: at - start for name, at in going.began.items()}
    await asyncio.to_thread(picture.write_text, drawing(drawn, start, end, marks))
    print(f"{dict(going.counts)} in {end - start:.0f} s")
    for name, count in truths.items():
        print(f"alert {name}: true at {count} of {round((end - start) / SCRAPE_S)} looks")
    return _empty(drawn)


async def _follow_targets(mesh: Mesh, server: Prometheus) -> None:
    """A server that is started again has another port; what is gone is still asked for."""
    known: dict[str, str] = {}
    while True:
        fresh = known | await mesh.targets()
        if fresh != known:
            known = fresh
            server.scrape(known)
        await asyncio.sleep(0.5)


async def _drawn(server: Prometheus, panel: Panel, start: float, end: float) -> Drawn:
    found = [
        (legend, series)
        for expr, legend in panel.queries
        for series in await server.series(filled_in(expr, WINDOW), start, end)
    ]
    return Drawn(panel, found)


async def _times(server: Prometheus, expression: str, start: float, end: float) -> int:
    """At how many looks the condition of an alert held, for whatever labels."""
    found = await server.series(expression, start, end)
    return len({at for _, points in found for at, _ in points})


def _empty(drawn: list[Drawn]) -> int:
    expected = [it for it in drawn if it.panel.queries and not it.panel.nothing]
    empty = [it.panel.title for it in expected if not it.series]
    for title in empty:
        print(f"nothing is shown by: {title}")
    return len(empty)


def main() -> int:
    """Run it as a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--svg", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="antiphon-dashboard-") as home:
        return asyncio.run(run(Path(home), arguments.seconds, arguments.svg))


if __name__ == "__main__":
    sys.exit(main())
