"""What people are called, remembered by those who show it and forgotten by those who change it.

It answers anybody in the process: who may be told whose name is decided before it is asked.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.cache.cache import Cache

LONGEST_S = 300.0
"""So long names are known while nobody can be asked: for a restart of the accounts' owner.

So long one may be wrong, too, where nobody hears that it changed: the server that changed it died
before it could say so, Redis came back with older data, or both don't use the same one.
"""


@dataclass(frozen=True, slots=True)
class Known:
    """The ``names`` that are known, who is ``missing``, and the ``lease`` to keep those by."""

    names: dict[UserId, str]
    missing: list[UserId]
    lease: str


class KnownNames:
    """A cache of display names, and a collector for prometheus_client."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._looked_up: Counter[str] = Counter(hit=0, miss=0)

    @property
    def lasts_s(self) -> float:
        """How many seconds a caller of the accounts' owner may cache its answer."""
        return min(LONGEST_S, self._cache.longest_s)

    async def of(self, user_ids: Collection[UserId]) -> Known:
        """The cached names."""
        found = await self._cache.get([_key(each) for each in user_ids])
        names, missing = dict[UserId, str](), list[UserId]()
        for user_id in user_ids:
            name = _name(found.values.get(_key(user_id)))
            if name is None:
                missing.append(user_id)
            else:
                names[user_id] = name
        self._looked_up.update(hit=len(names), miss=len(missing))
        return Known(names, missing, found.lease)

    async def keep(self, names: Mapping[UserId, str], seconds: float, lease: str) -> None:
        """Cache names for a while, except those that have changed since the lease was given."""
        if names and seconds > 0:
            values = {_key(user_id): name.encode() for user_id, name in names.items()}
            await self._cache.set(values, min(seconds, LONGEST_S), lease)

    async def forget(self, user_id: UserId) -> None:
        """Drop a name that changed. Call it after the commit and before the answer."""
        await self._cache.invalidate(_key(user_id))

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import CounterMetricFamily

        family = CounterMetricFamily(
            "antiphon_names_looked_up",
            "Display names that the cache was asked for: known (hit) or not (miss).",
            labels=["result"],
        )
        for result, count in self._looked_up.items():
            family.add_metric([result], count)
        yield family


def _key(user_id: UserId) -> str:
    return f"name:{user_id}"


def _name(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:  # of a version to come
        return None
