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


def command(defect: str) -> tuple[str, ...]:
    """What runs it."""
    return (sys.executable, "-m", "tests.proofs.trees.defective", defect)


def _put(owner: Any, name: str, value: Any) -> None:
    setattr(owner, name, value)


def main() -> None:
    """Plant it, and be the server."""
    plant, _ = DEFECTS[sys.argv.pop(1)]
    plant()
    from antiphon_server.cli.program import main as antiphon

    antiphon()


if __name__ == "__main__":
    main()
