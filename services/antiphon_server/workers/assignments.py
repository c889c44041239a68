"""The turns of this server that workers have."""

import time
from dataclasses import dataclass, field

from antiphon_server.dispatcher.handling import TurnId
from antiphon_server.workers.assignment import Assignment
from antiphon_server.workers.frames import Revocation
from antiphon_server.workers.session import AtWorker


@dataclass(slots=True)
class Assignments:
    """The turns of this server that workers have, by id."""

    live: dict[TurnId, Assignment] = field(default_factory=dict)

    def returned(self, session: AtWorker) -> None:
        """A worker is back: what it has lost goes on elsewhere, what it holds goes on with it."""
        for assignment in self.live.values():
            if not assignment.is_of(session):
                continue
            if not session.serves(*assignment.served):
                assignment.revoke(Revocation.REMOVED)
            else:
                assignment.return_to(session)

    def look_at_rights(self, session: AtWorker) -> None:
        """Take away what its user may not serve any more."""
        for assignment in list(self.live.values()):
            if assignment.is_of(session) and not session.serves(*assignment.served):
                assignment.revoke(Revocation.REMOVED)

    def excuse(self, late_s: float) -> None:
        """Hold so much time against nobody."""
        for assignment in self.live.values():
            assignment.excuse(late_s)

    def look(self) -> None:
        """Note which workers are lost; to be called several times a second."""
        now = time.monotonic()
        for assignment in list(self.live.values()):
            assignment.look(now)
