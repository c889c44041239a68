"""Texts are found in their language, with and without accents, and in any script."""

import pytest

from tests.memory.index.indexed import found, index_of

OTHERS = (
    "The weather is fine today.",
    "Wir haben gestern lange gewartet.",
    "Je suis rentré très tard hier.",
    "Mañana no tengo mucho tiempo.",
)


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("She has been baking loaves with her neighbours.", "Who baked a loaf with a neighbour?"),
        ("Ich habe im Garten zwei Bäume gepflanzt.", "Wer pflanzte einen Baum?"),
        ("Nous avons mangé dans des restaurants merveilleux.", "Quel restaurant merveilleux ?"),
        ("Los niños cantaban canciones en la playa.", "¿Quién canta una canción?"),
    ],
)
def test_other_forms_of_a_word_are_found(said: str, asked: str) -> None:
    """By its stem, in four languages side by side in one conversation."""
    assert found(index_of(*OTHERS, said), asked)[0] == "m4"


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("Wir trafen uns im Café Jürgens", "cafe jurgens"),
        ("Wir trafen uns im Cafe Jurgens", "Café Jürgens"),
        ("Nous sommes allés à la crêperie", "creperie"),
        ("Vimos un ñandú en el zoológico", "nandu zoologico"),
        ("Die Straße ist gesperrt", "strasse"),
    ],
)
def test_accents_may_be_left_out(said: str, asked: str) -> None:
    """In what is asked, and in what was said."""
    assert found(index_of(*OTHERS, said), asked)[0] == "m4"


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("Мы купили новый велосипед", "велосипед"),
        ("我们昨天在北京买了一辆自行车", "自行车"),
        ("เมื่อวานเราซื้อจักรยานคันใหม่", "จักรยาน"),
        ("Αγοράσαμε ένα ποδήλατο", "ποδήλατο"),
        ("קנינו אופניים חדשים", "אופניים"),
    ],
)
def test_other_languages_are_found_by_their_words(said: str, asked: str) -> None:
    """Also where no spaces part them."""
    assert found(index_of(*OTHERS, said), asked)[0] == "m4"


def test_stopwords_find_nothing() -> None:
    """A query of nothing else has no hits."""
    assert found(index_of(*OTHERS), "what is the") == []
    assert found(index_of(*OTHERS), "  ") == []


def test_a_caption_is_text() -> None:
    """A picture is found by what is to be seen on it."""
    assert found(index_of(*OTHERS, "[photo: a clay mug with a blue rim]"), "blue mugs") == [
        "m4",
        "m3",
    ]
