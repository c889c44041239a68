"""What was used last, in bounded memory."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class LruCache(Generic[K, V]):
    """Values by keys; what was used longest ago goes first.

    It holds ``most`` of them at most, and ``max_bytes`` by what ``size_of`` says a value takes,
    which must not change while it is held.
    """

    def __init__(
        self,
        most: float = float("inf"),
        max_bytes: float = float("inf"),
        size_of: Callable[[K, V], int] = lambda _key, _value: 0,
    ) -> None:
        self._most = most
        self._max_bytes = max_bytes
        self._size_of = size_of
        self._values: OrderedDict[K, V] = OrderedDict()
        self.size = 0
        """What it holds, in bytes."""

    def get(self, key: K) -> V | None:
        """The value, which is used by that."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def peek(self, key: K) -> V | None:
        """The value, which is not."""
        return self._values.get(key)

    def put(self, key: K, value: V) -> None:
        """Hold the value, in the place of another one of the key, unless it alone is too much."""
        self.pop(key)
        size = self._size_of(key, value)
        if size > self._max_bytes:
            return
        self._values[key] = value
        self.size += size
        while len(self._values) > self._most or self.size > self._max_bytes:
            self.pop(next(iter(self._values)))

    def pop(self, key: K) -> V | None:
        """Hold it no more; everything that goes goes by this."""
        value = self._values.pop(key, None)
        if value is not None:
            self.size -= self._size_of(key, value)
        return value

    def items(self) -> Iterator[tuple[K, V]]:
        """All, what was used longest ago first."""
        return iter(self._values.items())

    def __len__(self) -> int:
        """How many it holds."""
        return len(self._values)
