"""Documents by what they mean, once vectors were made of them."""

import pytest

from antiphon_server.memory.index import DocumentId, Index, Query
from antiphon_server.memory.index.minilm import MiniLm
from antiphon_server.memory.index.model_files import missing_model, model_files
from tests.memory.index.fake_encoder import FakeEncoder
from tests.memory.index.indexed import HERE, found, hits, message, messages

TEXTS = (
    "My brother finally got the job at the hospital.",
    "We had soup for lunch.",
    "The train was late again.",
    "She is afraid of dogs.",
)
NAMES = [
    f"{tree} and {fish}"
    for tree in ("oak", "elm", "fir", "ash", "yew")
    for fish in ("cod", "eel", "carp", "pike")
]


@pytest.fixture(scope="module")
def minilm() -> MiniLm:
    """The model, where its weights are."""
    if why := missing_model():
        pytest.skip(why)
    return MiniLm(*model_files())


def test_other_words_of_the_same_meaning_are_found(minilm: MiniLm) -> None:
    """Without one word in common."""
    index = Index(minilm)
    index.extend(HERE, messages(*TEXTS))
    assert index.encode(HERE, 10) == 4
    assert found(index, "Who works as a nurse or a physician?")[0] == "m0"
    assert hits(index, "Which animals frighten people?")[0].document_id == "m3"


def test_vectors_are_made_as_many_as_are_wanted() -> None:
    """The oldest first, each once; a document that is replaced waits again."""
    index = Index(FakeEncoder())
    index.extend(HERE, messages(*TEXTS))
    assert (index.encode(HERE, 3), index.encode(HERE, 3), index.encode(HERE, 3)) == (3, 1, 0)
    index.extend(HERE, [message(2, "The bus was late.")])
    assert index.encode(HERE, 3) == 1


def test_without_an_encoder_there_are_none() -> None:
    """Then texts are not kept either, and words alone count."""
    index = Index()
    index.extend(HERE, messages(*TEXTS))
    assert index.encode(HERE, 10) == 0
    assert "meaning" not in hits(index, "soup")[0].parts


def test_what_has_no_vector_yet_is_found_by_its_words() -> None:
    """Beside others that have one."""
    index = Index(FakeEncoder())
    index.extend(HERE, messages(*TEXTS, *(f"Small talk, {at} times over." for at in range(20))))
    index.encode(HERE, 24)
    index.extend(HERE, [message(90, "An accordion was played.")])
    assert "m90" in found(index, "accordion")[:3]


def test_few_vectors_change_little(minilm: MiniLm) -> None:
    """While one in ten has some, what has the words is ahead of what has none of them."""
    index = Index(minilm)
    said = [f"Small talk about the {name} and the weather." for name in NAMES]
    index.extend(HERE, messages(*TEXTS, *said))
    assert [it for it, _ in index.waiting(HERE, 2)] == ["m23", "m22"]  # the newest first
    some = index.waiting(HERE, 2)
    index.put_vectors(HERE, [(it, text, minilm.encode(text)) for it, text in some])
    for asked, expected in (("Was the train late?", "m2"), ("afraid of dogs", "m3")):
        assert found(index, asked)[0] == expected


def test_what_is_about_something_else_is_not_found(minilm: MiniLm) -> None:
    """Nothing at all may fit; who wants everything ranked says so."""
    index = Index(minilm)
    index.extend(HERE, messages(*TEXTS))
    index.encode(HERE, 10)
    asked = "a lecture on quantum chromodynamics"
    assert found(index, asked) == found(index, "nurse physician") == []
    assert len(found(index, Query(asked, least_alike=-1))) == 4


def test_what_changes_while_it_is_encoded_waits_on() -> None:
    """So does what is encoded of a text that is stored no more; and nothing comes back."""
    index, encoder = Index(expects_encoder=True), FakeEncoder()
    index.extend(HERE, messages(*TEXTS))
    waiting = index.waiting(HERE, 10)
    index.use(encoder)
    made = [(it, text, encoder.encode(text)) for it, text in waiting]
    index.extend(HERE, [message(2, "The bus was late.")])
    index.remove(HERE, [DocumentId("m3")])
    packed = index.put_vectors(HERE, made)
    assert set(packed) == {"m0", "m1"}
    index.unpack_vectors(HERE, {DocumentId("m2"): packed[DocumentId("m0")]}, dict(waiting))
    assert index.waiting(HERE, 10) == [("m2", "The bus was late.")]


def test_without_its_model_an_index_keeps_no_texts() -> None:
    """One that was expected and can't be loaded: words alone count from then on."""
    index = Index(expects_encoder=True)
    index.extend(HERE, messages(*TEXTS))
    index.use(None)
    index.extend(HERE, [message(9, "A bus.")])
    assert not index.is_waiting(HERE)
    without = Index()
    without.extend(HERE, [*messages(*TEXTS), message(9, "A bus.")])
    assert index.size_bytes == without.size_bytes
    assert found(index, "soup")[0] == "m1"


def test_stored_vectors_stand_for_made_ones() -> None:
    """Packed and taken again by another index: the same hits, and none is made anew."""
    first, second = Index(FakeEncoder()), Index(FakeEncoder())
    for index in (first, second):
        index.extend(HERE, messages(*TEXTS))
    first.encode(HERE, 4)
    ids = [DocumentId(f"m{at}") for at in range(5)]
    packed = first.packed_vectors(HERE, ids)
    assert set(packed) == set(ids[:4])
    second.unpack_vectors(HERE, packed)
    assert second.encode(HERE, 4) == 0
    assert hits(first, Query("late soup")) == hits(second, Query("late soup"))
    assert first.size_bytes == second.size_bytes


def test_bytes_that_are_no_vectors_are_refused() -> None:
    """By their length."""
    index = Index(FakeEncoder())
    index.extend(HERE, messages(*TEXTS))
    with pytest.raises(ValueError, match="packed vectors"):
        index.unpack_vectors(HERE, {DocumentId("m0"): b"x" * 400})
