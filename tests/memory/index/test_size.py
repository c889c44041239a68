"""A hundred thousand documents: built, searched and taken out within bounds."""

import random
import time

import numpy as np
import pytest

from antiphon_server.memory.index import DocumentId, Index, PartitionKey, Query
from tests.memory.index.fake_encoder import FakeEncoder
from tests.memory.index.indexed import HERE, THERE, found, message

PARTITIONS, EACH = 500, 200
KEYS = [PartitionKey(f"conversations/conv_{number}") for number in range(PARTITIONS)]


@pytest.fixture(scope="module")
def large() -> Index:
    """An index of 100,000 documents of 12 words each, in 500 partitions, words by Zipf's law."""
    choice = np.random.default_rng(3)
    drawn = np.minimum(choice.zipf(1.3, (PARTITIONS * EACH, 12)), 30_000).tolist()
    texts = (" ".join(f"w{word}" for word in row) for row in drawn)
    index = Index()
    for key in KEYS:
        index.extend(
            key, [message(at, next(texts), ("Mara", "Ines")[at % 2]) for at in range(EACH)]
        )
    return index


def test_a_search_of_all_is_quick(large: Index) -> None:
    """Processor time at p95 over all partitions: thrice the 20 ms that are promised is allowed."""
    choice, taken = random.Random(5), []
    for _ in range(60):
        asked = " ".join(f"w{choice.randint(1, 300)}" for _ in range(6))
        begun = time.process_time()
        assert large.search(Query(f"What did Mara say of {asked}?"), KEYS)
        taken.append(time.process_time() - begun)
    assert np.percentile(taken, 95) < 0.060


def test_memory_is_bounded_by_what_is_said_of_it(large: Index) -> None:
    """Under 1 KB a document, which partitions add up to, to the last byte."""
    parts = sum(large.partition_bytes(key) for key in KEYS)
    assert parts == large.size_bytes < 1000 * PARTITIONS * EACH


def test_words_are_charged_to_who_has_them_first() -> None:
    """Once that is gone to the next one: nobody has words that are charged to nobody."""
    index = Index(FakeEncoder())
    index.extend(HERE, [message(0, "harp drum flute"), message(1, "piano")])
    first = index.partition_bytes(HERE)
    index.extend(THERE, [message(0, "harp drum flute"), message(1, "piano")])
    later = index.partition_bytes(THERE)
    assert later <= first - 4 * 190
    index.remove(HERE, [DocumentId("m0")])
    index.extend(HERE, [message(0, "harp drum flute")])
    index.encode(THERE, 9)
    index.drop(THERE)
    assert index.partition_bytes(HERE) == index.size_bytes == first


def test_a_partition_shrinks_to_what_it_may_have() -> None:
    """What is worth least goes first, the oldest of it before the newer."""
    index = Index()
    index.extend(HERE, [message(at, f"word{at}") for at in range(100)])
    room = index.partition_bytes(HERE) // 2
    gone = index.shrink(HERE, room, {DocumentId("m3"): (0.9, 0)})
    assert index.partition_bytes(HERE) <= room
    assert gone[:4] == ["m0", "m1", "m2", "m4"]
    assert found(index, "word3")[0] == "m3"
    assert index.shrink(HERE, room) == []


def test_a_long_word_is_cut() -> None:
    """Texts without spaces take no more than others, and are found all the same."""
    index = Index()
    index.extend(HERE, [message(0, "x" * 50_000)])
    assert index.size_bytes < 2500
    assert found(index, "x" * 64) == ["m0"]


def test_all_can_go(large: Index) -> None:
    """Partition after partition; then nothing is found and no memory is said to be in use."""
    for key in KEYS:
        large.drop(key)
    assert large.size_bytes == 0
    assert large.search(Query("w1 w2"), KEYS) == []
