"""Which version of a deployment a turn gets: rules, on what is known in memory."""

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from antiphon_server.workers.frames import Want
from antiphon_server.workers.model import Parent, Release, Rollout, SeenVersion

AWAY_S = 30.0
"""So long a version is waited for that was set as current and had workers; so long behind the last
of its workers one is gone, if no open turn has it."""
BREAK_S = 1.0
"""So long a turn waits for the version that it was begun with when that has no worker: a stream
that breaks is opened again. The worker that had the turn was waited for before."""
_MANY = 1000


@dataclass(frozen=True, slots=True)
class There:
    """What serves a turn's handler, but for workers that the turn shuns.

    ``ready`` may be assigned turns, ``there`` are also those that are about to stop, or left alone
    for a while; ``shunned`` have only workers that the turn shuns.
    """

    ready: Collection[Release]
    there: Collection[Release]
    shunned: Collection[Release] = ()


def in_share(deployment: str, conversation_id: str, percent: int) -> bool:
    """Whether a conversation is in that share; who is in it, is in each larger one, too."""
    said = f"{deployment}\0{conversation_id}".encode()
    number = int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "big")
    return number % 100 < percent


class Versions:
    """What is known of versions and rollouts, and when workers of a version were last there."""

    def __init__(
        self,
        monotonic: Callable[[], float] = lambda: time.monotonic(),
        unix: Callable[[], float] = lambda: time.time(),
    ) -> None:
        self._monotonic, self._unix = monotonic, unix
        self._seen: dict[tuple[Parent, Release], SeenVersion] = {}
        self._rollouts: Mapping[tuple[Parent, str], Rollout] = {}
        self._went: dict[Release, float] = {}
        self.version = 0
        """Another number after each change of which is newer, and of rollouts."""

    def learn(self, seen: Iterable[SeenVersion], rollouts: Iterable[Rollout]) -> None:
        """Know these, and no others."""
        self._seen = {}
        self._rollouts = {(it.parent, it.deployment): it for it in rollouts}
        self.version += 1
        self.add(seen)

    def add(self, seen: Iterable[SeenVersion]) -> None:
        """Know these, too, or anew."""
        for it in seen:
            before = self._seen.get((it.parent, it.release))
            self._seen[it.parent, it.release] = it
            self.version += before is None or before.number != it.number

    def known(self, parent: Parent, release: Release) -> SeenVersion | None:
        """What is known of a version."""
        return self._seen.get((parent, release))

    def went(self, release: Release) -> None:
        """A worker of it has gone, perhaps the last one."""
        now = self._monotonic()
        self._went[release] = now
        if len(self._went) > _MANY:
            self._went = {it: at for it, at in self._went.items() if now - at < AWAY_S}

    def allowed(self, want: Want, there: There) -> Collection[Release]:
        """Which a turn may be given now: at most one of each deployment, none if it is to wait.

        One that was begun keeps its version while a worker of it takes turns, or did a moment ago;
        then it goes on at the current one. If a worker gave it back, which stops as a rule, then
        there is no such moment.
        """
        if want.began is not None and self._keeps(want, want.began, there):
            return (want.began,)
        by_deployment: dict[str, list[str]] = {}
        for it in there.ready:
            by_deployment.setdefault(it.deployment, []).append(it.version)
        chosen = (self._chosen(want, it, ready, there) for it, ready in by_deployment.items())
        return [it for it in chosen if it is not None]

    def current(self, parent: Parent, deployment: str, ready: Collection[str]) -> str | None:
        """The one that is current if no rollout is set: the newest of those; None of none."""
        return max(ready, key=lambda it: self._age(parent, deployment, it), default=None)

    def newest(self, parent: Parent, there: Collection[Release]) -> Release | None:
        """The newest of those that begin new turns, of each deployment one; None of none.

        That is not what a ramp tries on a share of the conversations, while another one is there.
        """
        begin = [
            Release(deployment, version)
            for deployment in {it.deployment for it in there}
            if (version := self._begins(parent, deployment, there)) is not None
        ]
        return max(begin, key=lambda it: (*self._age(parent, *it), it), default=None)

    def _begins(self, parent: Parent, deployment: str, there: Collection[Release]) -> str | None:
        ready = {it.version for it in there if it.deployment == deployment}
        rollout = self._rollouts.get((parent, deployment))
        if rollout is not None:
            if rollout.current in ready:
                return rollout.current
            ready = ready - {rollout.ramping} or ready
        return self.current(parent, deployment, ready)

    def _chosen(
        self, want: Want, deployment: str, ready: Collection[str], there: There
    ) -> Release | None:
        parent = Parent(want.parent)
        rollout = self._rollouts.get((parent, deployment))
        if rollout is not None:
            ramps = want.began is None and rollout.ramping in ready
            if ramps and in_share(deployment, want.conversation_id, rollout.percent):
                return Release(deployment, rollout.ramping)
            current = Release(deployment, rollout.current)
            if rollout.current in ready:
                return current
            if self._is_awaited(parent, current, there):
                return None
        newest = self.current(parent, deployment, ready)
        return Release(deployment, newest) if newest is not None else None

    def _keeps(self, want: Want, began: Release, there: There) -> bool:
        if began in there.ready:
            return True
        if want.given_back or began in there.shunned:
            return False
        return self._was_there(began, BREAK_S)

    def _is_awaited(self, parent: Parent, release: Release, there: There) -> bool:
        """Whether it is there, or may come back: a restart takes a moment."""
        if release in there.there:
            return True
        if release in there.shunned:
            return False
        if self._was_there(release, AWAY_S):
            return True
        seen = self._seen.get((parent, release))
        return seen is not None and self._unix() - seen.seen_us / 1e6 < AWAY_S

    def _was_there(self, release: Release, within_s: float) -> bool:
        went = self._went.get(release)
        return went is not None and self._monotonic() - went < within_s

    def _age(self, parent: Parent, deployment: str, version: str) -> tuple[int, str]:
        seen = self._seen.get((parent, Release(deployment, version)))
        return (seen.number if seen is not None else 0), version
