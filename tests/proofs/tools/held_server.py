"""``antiphon``, each of whose turns can be held at a boundary of its events, until it is killed.

``RIG_HOLDS`` names a file of JSON: turn ids and the boundary at which each is held: the kind of
event, which one of that kind (from 1), and whether before or behind the commit that has it.
The id of each turn that is held is written to the file beside it, ``….held``.
"""

import asyncio
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

HOLDS = "RIG_HOLDS"
COMMAND = (sys.executable, "-m", "tests.proofs.tools.held_server")


def main() -> None:
    """Have the journal hold turns, and be the server."""
    from antiphon_server.dispatcher.adapters.event_log import EventLogJournal

    path = Path(os.environ[HOLDS])
    holding = _Holding(json.loads(path.read_text()), path.with_suffix(".held"))
    append = EventLogJournal._append_once

    async def held(journal: EventLogJournal, request: Any) -> Any:
        turn_id, where = holding.reached(request)
        if where == "before":
            await holding.forever(turn_id)
        answer = await append(journal, request)
        if where == "behind":
            await holding.forever(turn_id)
        return answer

    setattr(EventLogJournal, "_append_once", held)  # noqa: B010 - mypy knows a method there
    from antiphon_server.cli.program import main as antiphon

    antiphon()


class _Holding:
    """Counts each turn's events in this life."""

    def __init__(self, holds: dict[str, tuple[str, int, str]], told: Path) -> None:
        self._holds, self._told = holds, told
        self._counts: Counter[tuple[str, str]] = Counter()

    def reached(self, request: Any) -> tuple[str, str]:
        """The turn, and where it is to be held: before or behind this commit, or not ("")."""
        for event in request.events:
            kind = event.WhichOneof("payload")
            self._counts[event.turn_id, kind] += 1
            held = self._holds.get(event.turn_id)
            if held and tuple(held[:2]) == (kind, self._counts[event.turn_id, kind]):
                return event.turn_id, held[2]
        return "", ""

    async def forever(self, turn_id: str) -> None:
        """Go no further, whoever stops it."""
        with self._told.open("a") as file:
            file.write(f"{turn_id}\n")
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue


if __name__ == "__main__":
    main()
