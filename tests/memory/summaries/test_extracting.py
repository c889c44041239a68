"""Which sentences matter."""

from antiphon_server.memory.summaries.covering import line_cost
from antiphon_server.memory.summaries.extracting import (
    ASSISTANTS_TOKENS,
    PEOPLE_TOKENS,
    Extractor,
    Uttered,
    extract,
)
from antiphon_server.memory.summaries.model import Line
from antiphon_server.memory.summaries.sentences import LONGEST, sentences
from tests.proofs.recall.conversations import ours

ANN, BOT = "users/user_0000000ann", "handlers/assistant"


def said(*pairs: tuple[str, str]) -> list[Uttered]:
    """Messages m0, m1 and so on of these authors."""
    return [Uttered(Line(text, f"m{at}", who, at)) for at, (who, text) in enumerate(pairs)]


def extracted(*pairs: tuple[str, str]) -> tuple[list[Line], list[Line]]:
    return extract(Extractor().read(said(*pairs)), {})


def test_sentences_are_split_in_every_script_and_code_is_none() -> None:
    """Ordinals and abbreviations end none."""
    text = "Am 1. Oktober kommt Dr. Brandt. Wirklich?\n- eins\n```\ncode()\n```\n> quoted\n"
    text += "你好。再见！"  # noqa: RUF001
    assert list(sentences(text)) == [
        "Am 1. Oktober kommt Dr. Brandt.",
        "Wirklich?",
        "eins",
        "你好。",
        "再见！",  # noqa: RUF001
    ]
    assert all(len(it) <= LONGEST for it in sentences("word " * 500))
    assert list(sentences("... !!! \n\n")) == []


def test_what_matters_is_kept_and_small_talk_is_not() -> None:
    """Each sentence with the message that it is of."""
    people, _ = extracted(
        (ANN, "Hi there! How are you?"),
        (ANN, "We decided to launch the Falcon release on 3 March in Lyon."),
        (ANN, "ok thanks"),
        (ANN, "That's nice of you to say."),
    )
    assert people[0].text == "We decided to launch the Falcon release on 3 March in Lyon."
    assert (people[0].message_id, people[0].author, people[0].time_us) == ("m1", ANN, 1)
    assert "ok thanks" not in {it.text for it in people}


def test_peoples_words_are_apart_and_nothing_is_said_twice() -> None:
    """A model that repeats a person isn't quoted for it, nor is a person who repeats themselves."""
    people, others = extracted(
        (ANN, "The harbour crane needs a new winch before June."),
        (BOT, "You said the harbour crane needs a new winch before June."),
        (BOT, "A winch of that size costs about 9000 euros at Marinetech."),
        (ANN, "So the harbour crane needs a new winch before June!"),
    )
    assert {it.message_id for it in people} in ({"m0"}, {"m3"})
    assert [it.message_id for it in others] == ["m2"]


def test_an_extract_has_its_budget_and_its_sources() -> None:
    """Of real conversations in four languages."""
    for conversation in ours()[::5]:
        turns = conversation.turns[:40]
        uttered = [
            Uttered(Line(it.text, it.id, ANN if at % 2 else BOT, at)) for at, it in enumerate(turns)
        ]
        people, others = extract(Extractor().read(uttered), {})
        assert people
        assert sum(map(line_cost, people)) <= PEOPLE_TOKENS
        assert sum(map(line_cost, others)) <= ASSISTANTS_TOKENS
        by_id = {it.id: " ".join(it.text.split()) for it in turns}
        for line in (*people, *others):
            assert line.text.removesuffix(" …") in by_id[line.message_id]
        assert [it.time_us for it in people] == sorted(it.time_us for it in people)
