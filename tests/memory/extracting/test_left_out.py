"""What is no plain statement of the author is left out: precision comes first."""

import pytest

from tests.memory.extracting.said import texts

NONE = {
    "en": [
        "Do I live in Lyon?",
        "If I live in Lyon next year, come and see me.",
        "I would like to live in Lyon.",
        "> I live in Lyon",
        'She said "I live in Lyon".',
        "Tom says I live in Lyon.",
        "`I live in Lyon`",
        "```\nI live in Lyon.\n```",
        "/remember I live in Lyon",
        "I live in Lyon, haha.",
        "I live in Lyon 😂",
        "I live in Lyon. Just kidding!",
        "Maybe I'm allergic to peanuts.",
        "I love it.",
        "I love you.",
        "I love Helen.",
        "I'm tired.",
        "I'm on my way.",
        "I wish I were a nurse.",
        "I'm not going to Leeds on Friday.",
        "You live in Lyon.",
        "He lives in Lyon.",
        "We should move to Lyon.",
    ],
    "de": [
        "Wohne ich in Kassel?",
        "Wenn ich in Kassel wohne, besuchst du mich.",
        "Ich würde gern in Kassel wohnen.",
        "> Ich wohne in Kassel",
        "Sie sagte: „Ich wohne in Kassel.“",
        "Tom sagt, ich wohne in Kassel.",
        "Ich wohne in Kassel, haha.",
        "Vielleicht bin ich allergisch gegen Nüsse.",
        "Ich mag dich.",
        "Ich bin müde.",
        "Ich wohne in Kassel nicht.",
        "Ich wäre gern Lehrerin.",
        "Ich fahre am Montag nicht nach Bremen.",
    ],
    "fr": [
        "J'habite à Lyon ?",
        "Si j'habite à Lyon, tu viendras.",
        "J'aimerais vivre à Lyon.",
        "> J'habite à Lyon",
        "Elle a dit « J'habite à Lyon ».",
        "Tom dit que j'habite à Lyon.",
        "J'habite à Lyon, mdr.",
        "Je suis peut-être allergique aux noix.",
        "Je t'aime.",
        "J'adore ça.",
        "Je suis fatiguée.",
        "Je voudrais être infirmière.",
        "Je ne pars pas lundi.",
    ],
    "es": [
        "¿Vivo en Toro?",
        "Si vivo en Toro, vendrás.",
        "Me gustaría vivir en Toro.",
        "> Vivo en Toro",
        "Dijo «vivo en Toro».",
        "Tomás dice que vivo en Toro.",
        "Vivo en Toro, jajaja.",
        "Quizá soy alérgica a las nueces.",
        "Me encanta eso.",
        "Te quiero.",
        "Estoy cansada.",
        "Ojalá fuera enfermera.",
        "El lunes no voy a Vigo.",
        "No tengo clase el lunes.",
        "He dejado la gestoría. Bueno, no la he dejado todavía.",
    ],
}


@pytest.mark.parametrize(
    ("language", "said"), [(language, it) for language, those in NONE.items() for it in those]
)
def test_what_is_no_plain_statement_is_no_fact(language: str, said: str) -> None:
    """Questions, quotes, hearsay, wishes, conditions, jokes, commands, code; what names nothing."""
    assert texts(said, language) == []


def test_quotes_beside_a_statement_do_not_hide_it() -> None:
    """Only what is quoted is left out."""
    assert texts("> I live in Leeds\nI live in Lyon.") == ["Anna lives in Lyon"]


def test_long_texts_cost_no_more_than_short_ones() -> None:
    """A megabyte of what looks like the beginnings of facts is read as far as 20,000 characters."""
    assert texts("I live in " * 100_000 + "I live in Lyon.") == []
    assert texts("„" * 1_000_000) == []
