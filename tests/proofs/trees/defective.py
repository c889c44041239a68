"""``antiphon`` with a defect: ``python -m tests.proofs.trees.defective NAME up …``.

Each loses, doubles or forgets something of a tree, which the judge has to notice.
"""

import secrets
import sys
from collections.abc import Callable, Mapping
from typing import Any


def _unstopped() -> None:
    """Who stops a turn stops that one alone."""
    from antiphon_server.dispatcher import execution, recovery, turns

    for module in (execution, recovery, turns):
        _put(module, "stop_under", lambda *_: None)


def _by_levels() -> None:
    """Who stops a turn stops what is below it when its end is stored, one level each time."""
    from antiphon_server.dispatcher import execution, recovery, turns

    def level(those: Any, turn_id: Any) -> None:
        for active in those:
            parent = active.turn.order.parent
            if parent is not None and parent.turn_id == turn_id:
                active.stop()

    _put(turns, "stop_under", lambda *_: None)
    for module in (execution, recovery):
        _put(module, "stop_under", level)


def _doubled() -> None:
    """Who asks again gets another child."""
    from antiphon_server.workers import call_ids

    _put(call_ids, "asked_turn", lambda *_: f"turn_{secrets.token_hex(12)}")


def _twice() -> None:
    """What came of a child is told twice."""
    from antiphon_server.dispatcher.calling import Calling

    one = Calling._one

    async def told(self: Any, *about: Any) -> Any:
        end = await one(self, *about)
        await self._writer.record(end)
        return end

    _put(Calling, "_one", told)


def _emptied() -> None:
    """Who asks again for a child that is there gets nothing of it."""
    from antiphon_server.dispatcher.delegating import Delegating
    from antiphon_server.dispatcher.model import ChildEnd

    run = Delegating.run

    async def met(self: Any, parent: Any, child: Any, now_us: int) -> Any:
        if self._lanes.find(parent.conversation_id, child.turn_id) is not None:
            return ChildEnd("", succeeded=False)
        return await run(self, parent, child, now_us)

    _put(Delegating, "run", met)


# By name; with which fault a tree shows it.
DEFECTS: Mapping[str, tuple[Callable[[], None], str]] = {
    "unstopped": (_unstopped, "stop"),
    "doubled": (_doubled, "kill_server"),
    "twice": (_twice, "nothing"),
    "emptied": (_emptied, "kill_server"),
}
BY_LEVELS = "by-levels"
"""It shows in when handlers are told alone."""


def command(defect: str) -> tuple[str, ...]:
    """What runs it."""
    return (sys.executable, "-m", "tests.proofs.trees.defective", defect)


def _put(owner: Any, name: str, value: Any) -> None:
    setattr(owner, name, value)


def main() -> None:
    """Plant it, and be the server."""
    name = sys.argv.pop(1)
    plant = _by_levels if name == BY_LEVELS else DEFECTS[name][0]
    plant()
    from antiphon_server.cli.program import main as antiphon

    antiphon()


if __name__ == "__main__":
    main()
