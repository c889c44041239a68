"""Profiles remembered by those who read them, and forgotten by those who change them.

What a user has not set is remembered, too: most set nothing, and each turn asks.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TypeAlias

from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.cache.cache import Cache
from antiphon_server.runtime.profiles.model import Profile

LONGEST_S = 300.0
"""So long one may be wrong where nobody hears that it changed, as with names."""
Place: TypeAlias = tuple[str, str]
"""A user, and a workspace or "" for everywhere."""


class KnownProfiles:
    """A cache of what is set, each place by itself. Larger ones than 4 KiB are not remembered."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    @property
    def lasts_s(self) -> float:
        """How many seconds a caller of the profiles' owner may remember its answer."""
        return min(LONGEST_S, self._cache.longest_s)

    async def of(self, places: Sequence[Place]) -> tuple[dict[Place, Profile], str]:
        """Those that are known, and the lease to keep the others by."""
        found = await self._cache.get([_key(*it) for it in places])
        known = dict[Place, Profile]()
        for place in places:
            profile = _decoded(place, found.values.get(_key(*place)))
            if profile is not None:
                known[place] = profile
        return known, found.lease

    async def keep(self, profiles: Mapping[Place, Profile], seconds: float, lease: str) -> None:
        """Remember them, but for those that have changed since the lease was given."""
        if profiles and seconds > 0:
            values = {_key(*place): _encoded(it) for place, it in profiles.items()}
            await self._cache.set(values, min(seconds, LONGEST_S), lease)

    async def forget(self, user_id: UserId, workspace_id: str) -> None:
        """Drop one that changed. Call it after the commit and before the answer."""
        await self._cache.invalidate(_key(user_id, workspace_id))


def _key(user_id: str, workspace_id: str) -> str:
    return f"profile:{user_id}:{workspace_id}"


def _encoded(it: Profile) -> bytes:
    return b"" if it.says_nothing else json.dumps(asdict(it)).encode()


def _decoded(place: Place, value: bytes | None) -> Profile | None:
    user_id, workspace_id = place
    if value is None:
        return None
    if not value:
        return Profile(UserId(user_id), workspace_id)
    try:
        said = json.loads(value)
        return Profile(**said | {"preferences": tuple(said["preferences"])})
    except (ValueError, TypeError, KeyError):  # of a version to come
        return None
