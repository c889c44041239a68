"""What somebody asks to have remembered is kept as it was said, where no fact says it better."""

import pytest

from antiphon_server.memory.extracting import Kind, Relation, relation
from antiphon_server.memory.extracting.requests import MOST_CHARACTERS
from tests.memory.extracting.said import SUBJECT, found, one, texts

ASKED = {
    "Please remember that my car is a red Skoda": "my car is a red Skoda",
    "Remember: the bins go out on odd weeks.": "the bins go out on odd weeks",
    "Remember that the day of the fair may change.": "the day of the fair may change",
    "Don't forget that Tom would rather come by train!": "Tom would rather come by train",
    "Don\u2019t forget that Tom\u2019s door code is 4711": "Tom\u2019s door code is 4711",
    "Remember that our wiki is https://wiki.example/a?b=c": "our wiki is https://wiki.example/a?b=c",
    "Merk dir, dass mein Auto ein roter Skoda ist.": "mein Auto ein roter Skoda ist",
    "Merke dir bitte, dass die Tonne im Hof steht": "die Tonne im Hof steht",
    "Bitte merke dir: Die Tonne steht im Hof.": "Die Tonne steht im Hof",
    "Vergiss nicht, dass Tom vielleicht später kommt.": "Tom vielleicht später kommt",
    "Retiens que ma voiture est rouge.": "ma voiture est rouge",
    "Retiens : le code est 4711": "le code est 4711",
    "N'oublie pas que Léa viendrait en train": "Léa viendrait en train",
    "N\u2019oublie pas qu'elle vient en train": "elle vient en train",
    "Recuerda que mi coche es rojo.": "mi coche es rojo",
    "Por favor, recuerda que el código es 4711": "el código es 4711",
    "¡No olvides que la puerta es azul!": "la puerta es azul",
}
NOT_ASKED = [
    "Do you remember that day?",
    "Do you remember that my car is red?",
    "Can you please remember that my car is red?",
    "Remember when we were in Rome.",
    "Remember that day at the sea!",
    "Remember that first night in Rome.",
    "Remember to call Tom.",
    "I remember that the door was blue.",
    "Tom says: remember that the door is blue.",
    "Remember that, haha.",
    "Remember that the moon is made of cheese, haha.",
    "Remember:",
    "Remember: `rm -rf /`",
    'Remember: "the door is blue"',
    "> Remember that the door is blue",
    "Merk dir das.",
    "Weißt du noch, dass die Tür blau war?",
    "Vergiss nicht, Milch zu kaufen.",
    "Tu te souviens que la porte est bleue ?",
    "N'oublie pas le pain.",
    "¿Recuerdas que la puerta es azul?",
    "Recuerda comprar pan.",
]


@pytest.mark.parametrize(("said", "kept"), ASKED.items())
def test_what_is_asked_for_is_a_note_as_it_was_said(said: str, kept: str) -> None:
    """Also what is no plain statement: it is what they want to have kept."""
    text = f"Hi 👋, long day! {said}"
    note = one(text)
    assert (note.kind, note.text, note.subject) == (Kind.NOTE, kept, SUBJECT)
    assert text[note.start : note.end] == kept


@pytest.mark.parametrize("said", NOT_ASKED)
def test_what_is_not_asked_for_is_no_note(said: str) -> None:
    """Questions, memories of one's own, things to do, hearsay, jokes, quotes."""
    assert texts(said) == []


def test_what_is_a_fact_is_no_note_besides() -> None:
    """A fact is compared with others of its topic."""
    assert texts("Please remember that I live in Lyon.") == ["Anna lives in Lyon"]
    assert texts("Merk dir: Ich wohne in Kassel.") == ["Anna wohnt in Kassel"]


def test_models_words_are_no_notes() -> None:
    assert not found("Please remember that my car is red.", author="handlers/assistant")


def test_a_note_is_one_sentence_of_so_many_characters() -> None:
    """It ends with a word."""
    assert texts("Remember that the door is blue. It was red.") == ["the door is blue"]
    (kept,) = texts(f"Remember that {'blue doors ' * 30}are nice.")
    assert MOST_CHARACTERS - 6 <= len(kept) <= MOST_CHARACTERS
    assert kept.endswith(("blue", "doors"))


def test_a_note_replaces_only_itself() -> None:
    """Whatever it begins with; said again it is the same."""
    long = f"Remember that the {'very ' * 40}blue door"
    first, second = one(f"{long} is open."), one(f"{long} is closed.")
    assert relation(second, first) is Relation.NONE
    assert relation(one(f"Please remember that the {'very ' * 40}blue door is open"), first) is (
        Relation.SAME
    )
