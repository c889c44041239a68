"""What is removed is gone: its terms, its counts, its vectors."""

import pickle
import random

from antiphon_server.memory.index import DocumentId, Index
from tests.memory.index.fake_encoder import FakeEncoder
from tests.memory.index.indexed import HERE, THERE, found, hits, index_of, message, messages

CANARY = "xylophonist"


def test_nothing_is_left_of_what_is_removed() -> None:
    """No byte of the word, of who said it, nor of its kind, wherever it was."""
    index = Index(FakeEncoder())
    index.extend(HERE, messages("A harp.", "A drum.", "A flute."))
    index.extend(HERE, [message(7, f"The {CANARY} played.", "Quintus", kind="oddity")])
    index.encode(HERE, 3)
    before = index.size_bytes
    assert CANARY[:8].encode() in pickle.dumps(index)
    index.remove(HERE, [DocumentId("m7"), DocumentId("unknown")])
    for left in (CANARY[:8], "Quintus", "quintus", "oddity", "m7"):
        assert left.encode() not in pickle.dumps(index)
    assert index.size_bytes < before
    assert "m7" not in found(index, CANARY)


def test_what_is_left_ranks_as_if_it_had_never_been() -> None:
    """Terms, counts, lengths and neighbours: the same hits as without, to the last digit."""
    texts = ["A harp and a drum.", "The harp again?", "No harp, a flute.", "Drums and harps."]
    index, without = index_of(*texts), Index()
    index.remove(HERE, [DocumentId("m1")])
    without.extend(HERE, [each for each in messages(*texts) if each.document_id != "m1"])
    for asked in ("harp", "flute drum", "Mara's harp"):
        assert hits(index, asked) == hits(without, asked)


def test_a_known_document_is_replaced_where_it_is() -> None:
    """Its old words find nothing, its new ones do, and it keeps its neighbours."""
    index = index_of("A harp.", "A drum.", "A flute.")
    index.extend(HERE, [message(1, "A violin.")])
    assert found(index, "drum") == []
    assert found(index, "violin")[0] == "m1"
    assert set(found(index, "violin")) == {"m0", "m1", "m2"}


def test_a_dropped_partition_is_unknown() -> None:
    """It takes no memory, and may begin anew."""
    index = index_of("A harp.")
    index.drop(HERE)
    index.drop(THERE)
    assert HERE not in index
    assert index.partition_bytes(HERE) == index.size_bytes == 0
    index.extend(HERE, messages("A drum."))
    assert found(index, "harp drum") == ["m0"]


def test_any_order_of_changes_ends_as_what_is_left() -> None:
    """Of 3,000 documents most are removed: it finds what a new index of the others does."""
    choice = random.Random(7)
    words = [f"w{number}" for number in range(200)]
    index, kept = Index(FakeEncoder()), {}
    for number in range(3000):
        document = message(number, " ".join(choice.sample(words, 5)))
        kept[number] = document
        index.extend(HERE, [document])
    index.encode(HERE, 1500)
    for number in choice.sample(range(3000), 2700):
        del kept[number]
        index.remove(HERE, [DocumentId(f"m{number}")])
    new = Index(FakeEncoder())
    new.extend(HERE, list(kept.values()))
    while index.encode(HERE, 100):
        pass
    new.encode(HERE, 3000)
    for asked in ("w1 w2", "w50", "w3 w199"):
        assert hits(index, asked) == hits(new, asked)
    assert index.size_bytes == new.size_bytes
