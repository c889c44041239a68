"""What people say of themselves is found, in four languages, and said in the third person."""

import pytest

from antiphon_server.memory.extracting import Hold, Kind
from tests.memory.extracting.said import SUBJECT, found, one, texts

SAID = {
    "en": {
        "I live in Lyon.": "Anna lives in Lyon",
        "My name is Anna Meyer.": "Anna's name is Anna Meyer",
        "I'm a nurse.": "Anna works as nurse",
        "I'm allergic to peanuts.": "Anna is allergic to peanuts",
        "My daughter Lina started school.": "Anna has a child named Lina",
        "I no longer live in Leeds.": "Anna no longer lives in Leeds",
        "I used to be a teacher.": "Anna used to be a teacher",
        "I don't like olives any more.": "Anna doesn't like olives",
        "We live in Cork.": "Anna and others live in Cork",
        "I've sold my car.": "Anna sold their car",
        "I'm a vegetarian.": "Anna is vegetarian",
        "I play the cello.": "Anna plays the cello",
    },
    "de": {
        "Ich wohne in Kassel.": "Anna wohnt in Kassel",
        "Ich heiße Anna Meyer.": "Anna heißt Anna Meyer",
        "Ich bin Krankenschwester.": "Anna arbeitet als Krankenschwester",
        "Ich bin allergisch gegen Nüsse.": "Anna ist allergisch gegen Nüsse",
        "Meine Tochter Lina ist schon groß.": "Anna hat ein Kind namens Lina",
        "Ich wohne nicht mehr in Bremen.": "Anna wohnt nicht mehr in Bremen",
        "Ich mag Lakritz nicht mehr.": "Anna mag Lakritz nicht",
        "Wir wohnen in Bern.": "Anna und andere wohnen in Bern",
        "Ich habe meine Vespa verkauft.": "Anna hat Annas Vespa verkauft",
        "Ich spiele Cello.": "Anna spielt Cello",
    },
    "fr": {
        "J'habite à Lyon.": "Anna habite à Lyon",
        "Je m'appelle Anna Meyer.": "Anna s'appelle Anna Meyer",
        "Je suis infirmière.": "Anna est infirmière",
        "Je suis allergique aux noix.": "Anna est allergique aux noix",
        "Ma fille Lina entre à l'école.": "Anna a un enfant nommé Lina",
        "Je n'habite plus à Nantes.": "Anna n'habite plus à Nantes",
        "Je n'aime plus le vin.": "Anna n'aime pas le vin",
        "J'ai vendu ma voiture.": "Anna a vendu sa voiture",
        "Je joue du violoncelle.": "Anna joue du violoncelle",
    },
    "es": {
        "Vivo en Salamanca.": "Anna vive en Salamanca",
        "Me llamo Anna Meyer.": "Anna se llama Anna Meyer",
        "Soy enfermera.": "Anna es enfermera",
        "Soy alérgica a las nueces.": "Anna tiene alergia a las nueces",
        "Mi hija Lina empieza el colegio.": "Anna tiene un hijo o una hija: Lina",
        "Ya no vivo en Vigo.": "Anna ya no vive en Vigo",
        "Ya no me gusta el vino.": "a Anna no le gusta el vino",
        "Vivimos en Toro.": "Anna y otros viven en Toro",
        "He vendido mi coche.": "Anna ha vendido su coche",
        "Toco el chelo.": "Anna toca o juega el chelo",
    },
}


@pytest.mark.parametrize(
    ("language", "said", "known"),
    [(language, *pair) for language, pairs in SAID.items() for pair in pairs.items()],
)
def test_a_fact_is_said_in_the_third_person(language: str, said: str, known: str) -> None:
    """In the language that it was said in."""
    assert texts(said, language) == [known]


def test_a_fact_has_its_subject_and_its_place_in_the_text() -> None:
    """The span is of code points, whatever stands before it."""
    text = "Hi 👋, long day! I'm allergic to peanuts."
    fact = one(text)
    assert fact.subject == SUBJECT
    assert text[fact.start : fact.end] == "I'm allergic to peanuts"
    assert 0.9 <= fact.confidence <= 1


def test_kinds_tell_facts_preferences_and_events_apart() -> None:
    """As memories have them."""
    kinds = [it.kind for it in found("I live in Lyon. I love green tea. I bought a boat.")]
    assert kinds == [Kind.FACT, Kind.PREFERENCE, Kind.EVENT]


def test_what_is_over_or_denied_is_known_as_such() -> None:
    """Not as its contrary."""
    assert one("I used to live in Leeds.").hold is Hold.OVER
    assert one("I don't like olives.").hold is Hold.NOT


def test_entities_are_the_names_in_a_value() -> None:
    """Without whoever said it."""
    assert one("I bought a house in New Haven with Anna.").entities == ["New Haven"]


def test_models_words_are_no_facts() -> None:
    """Whatever a handler wrote about itself, or had recalled."""
    assert not found("I live in Lyon.", author="handlers/assistant")


def test_a_message_tells_sixteen_facts_at_most() -> None:
    """What tells more was pasted."""
    names = [f"Ada{chr(it)}" for it in range(97, 97 + 18)]
    assert len(found(" ".join(f"My brother {it} called." for it in names))) == 16
