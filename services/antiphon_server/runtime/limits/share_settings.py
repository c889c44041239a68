"""What one user may take of a server that others use too; docs/guides/limits.md."""

from typing import Annotated

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]
Part = Annotated[float, Meta(gt=0, le=1)]
Weight = Annotated[float, Meta(ge=0.01, le=1000)]


class ShareSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The setting ``ANTIPHON_SHARES``: what it does not name keeps its default.

    ``turns`` of one user may be unfinished, and ``running`` of them run at once; ``streams`` are
    those that one user has open. ``user`` and ``workspace`` are the parts of the server's time that
    one of either may take while others are there. All are of one server. ``weights``, by the ids
    of users and workspaces, multiply what they may have. If not ``enabled``, nobody waits for
    others; the counts hold all the same.
    """

    enabled: bool = True
    turns: Count = 100
    running: Count = 10
    streams: Count = 100
    # What a user causes is more than what stands in a line, and two servers may share two cores.
    user: Part = 0.1
    workspace: Part = 0.25
    weights: dict[str, Weight] = {}

    def weight(self, who: str) -> float:
        """How much more than others one may have: an id, or a name that ends with it."""
        return self.weights.get(who.rpartition("/")[2], 1.0) if self.weights else 1.0

    def most_streams_of(self, user: str) -> int:
        """How many streams a user may have open."""
        return max(1, round(self.streams * self.weight(user)))
