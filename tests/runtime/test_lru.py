"""What was used last, in bounded memory."""

import asyncio

import pytest

from antiphon_server.runtime.cache.guarded import GuardedCache
from antiphon_server.runtime.cache.lru import LruCache


def sized(max_bytes: int) -> LruCache[str, bytes]:
    return LruCache(max_bytes=max_bytes, size_of=lambda key, value: len(key) + len(value))


def test_what_was_used_longest_ago_goes_first() -> None:
    """To get it is to use it, to peek at it is not."""
    held = LruCache[str, int](2)
    held.put("a", 1)
    held.put("b", 2)
    assert held.get("a") == held.peek("a") == 1
    assert held.peek("b") == 2
    held.put("c", 3)
    assert list(held.items()) == [("a", 1), ("c", 3)]


def test_it_is_bounded_in_bytes() -> None:
    """One of a key is counted once; what is too large alone is not held, and the others stay."""
    held = sized(10)
    held.put("a", b"1234")
    held.put("a", b"123")
    held.put("b", b"1234")
    assert (len(held), held.size) == (2, 9)
    held.put("c", b"1")
    assert (held.peek("a"), held.size) == (None, 7)
    held.put("d", b"1234567890")
    assert (held.peek("d"), held.size) == (None, 7)


def test_what_was_popped_is_not_held() -> None:
    """Nor counted; a second time there is nothing."""
    held = sized(10)
    held.put("a", b"1")
    assert held.pop("a") == b"1"
    assert held.pop("a") is None
    assert (len(held), held.size) == (0, 0)


class Reads:
    """A store whose reads end when they are let go."""

    def __init__(self) -> None:
        self.value: int | None = 1
        self.calls = 0
        self.let_go = asyncio.Event()

    async def __call__(self, key: str) -> int | None:
        """Read."""
        self.calls += 1
        value = self.value
        await self.let_go.wait()
        return value

    async def change(self, value: int) -> None:
        """Commit another value, which takes a moment."""
        await asyncio.sleep(0)
        self.value = value


async def test_it_is_read_once() -> None:
    """Unless there was nothing."""
    reads = Reads()
    cache = GuardedCache(LruCache[str, int](), reads)
    reads.let_go.set()
    reads.value = None
    assert [await cache.get("a") for _ in range(2)] == [None, None]
    reads.value = 1
    assert [await cache.get("a") for _ in range(3)] == [1, 1, 1]
    assert reads.calls == 3


@pytest.mark.parametrize("before", [True, False])
async def test_what_was_read_while_it_changed_is_not_kept(before: bool) -> None:
    """Whether the read began before the change or within it."""
    held = LruCache[str, int]()
    reads = Reads()
    cache = GuardedCache(held, reads)

    async def change() -> asyncio.Task[int | None]:
        reading = asyncio.create_task(cache.get("a"))
        await asyncio.sleep(0)
        await reads.change(2)
        return reading

    if before:
        reading = asyncio.create_task(cache.get("a"))
        await asyncio.sleep(0)
        await cache.changing(reads.change(2), lambda: held.pop("a"))
    else:
        reading = await cache.changing(change(), lambda: held.pop("a"))
    reads.let_go.set()
    assert await reading == 1
    assert await cache.get("a") == 2


async def test_a_change_that_failed_is_forgotten_too() -> None:
    """Nobody knows what it has done."""
    held = LruCache[str, int]()
    reads = Reads()
    cache = GuardedCache(held, reads)
    reads.let_go.set()
    await cache.get("a")

    async def fail() -> None:
        reads.value = 2
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - raised by the test itself
        await cache.changing(fail(), lambda: held.pop("a"))
    assert await cache.get("a") == 2
