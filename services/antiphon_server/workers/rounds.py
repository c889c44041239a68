"""A look at who has room: what holds for many of the turns that wait is found out once."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from antiphon_server.workers.frames import Want, WorkerId
from antiphon_server.workers.model import Release
from antiphon_server.workers.session import AtWorker, Inbox, Session
from antiphon_server.workers.versions import There, Versions


class Round:
    """Gives turns to workers ``here``; ``everybody`` are also those that other servers lend.

    It is over when its caller awaits anything: whoever has room may be others then.
    """

    def __init__(
        self,
        here: Iterable[Session],
        everybody: Callable[[], Sequence[AtWorker]],
        versions: Versions,
    ) -> None:
        self._roomy = [it for it in here if it.open and it.free]
        self._everybody, self._versions = everybody, versions
        self._serving: dict[tuple[str, str], dict[Release, list[Session]]] = {}
        self._there: dict[tuple[str, str, frozenset[WorkerId]], There] = {}

    @property
    def has_room(self) -> bool:
        """Whether anybody has."""
        return bool(self._roomy)

    def take(self, want: Want, inbox: Inbox) -> Session | None:
        """Give the turn to whoever has most room for it, if there is one."""
        serving = self._that_serve(want.handler, want.parent)
        allowed = self._allowed(want) if serving else ()
        suited = [
            it for release in allowed for it in serving.get(release, ()) if _will_do(it, want)
        ]
        if not suited:
            return None
        found = min(suited, key=lambda it: (it.worker_id != want.preferred, *_load(it)))
        found.turns[want.turn_id] = inbox
        found.assigned_at = time.monotonic()
        if not found.free:
            self._leave_out(found)
        return found

    def _that_serve(self, handler: str, parent: str) -> Mapping[Release, Sequence[Session]]:
        served = handler, parent
        if served not in self._serving:
            by_release: dict[Release, list[Session]] = {}
            for it in self._roomy:
                if it.serves(handler, parent):
                    by_release.setdefault(it.worker.release, []).append(it)
            self._serving[served] = by_release
        return self._serving[served]

    def _allowed(self, want: Want) -> Iterable[Release]:
        about = want.handler, want.parent, want.shunned
        if about not in self._there:
            self._there[about] = those_there(self._everybody(), want)
        return self._versions.allowed(want, self._there[about])

    def _leave_out(self, full: Session) -> None:
        self._roomy.remove(full)
        for by_release in self._serving.values():
            its = by_release.get(full.worker.release, [])
            if full in its:
                its.remove(full)
            if not its:
                by_release.pop(full.worker.release, None)


def those_there(workers: Iterable[AtWorker], want: Want) -> There:
    """Which versions are there for a turn."""
    serving = [it for it in workers if not it.closed and it.serves(want.handler, want.parent)]
    there = {it.worker.release for it in serving if it.worker_id not in want.shunned}
    ready = {it.worker.release for it in serving if it.open and it.worker_id not in want.shunned}
    return There(ready, there, {it.worker.release for it in serving} - there)


def suits(session: Session, want: Want) -> bool:
    """Whether the turn may be its, if it has room, and whichever its version is."""
    return session.open and session.serves(want.handler, want.parent) and _will_do(session, want)


def _will_do(session: Session, want: Want) -> bool:
    shunned = session.worker_id in want.shunned
    return not shunned and not (want.only_preferred and session.worker_id != want.preferred)


def _load(session: Session) -> tuple[float, float]:
    return len(session.turns) / max(session.slots, 1), session.assigned_at
