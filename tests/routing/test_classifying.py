"""Experts, chosen by words."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.routing.classifying import WordClassifier
from antiphon_server.routing.model import MIN_SCORE, Expert
from antiphon_server.routing.words import LONGEST_TEXT, features

MONEY = Expert(
    "money",
    "Invoices and payments",
    ("Where is my invoice?", "I want to pay by card", "the invoice is wrong, I paid already"),
)
TRAVEL = Expert(
    "travel",
    "Trips, flights and hotels",
    ("My flight was cancelled", "a hotel near the station", "flights to Rome in May"),
)
BOTH = (MONEY, TRAVEL)


def scores(text: str, *experts: Expert) -> dict[str, float]:
    return {it.handler: it.score for it in WordClassifier()(text, experts or BOTH)}


@pytest.mark.parametrize(
    ("text", "whose"),
    [
        ("I need an invoice for the payments of March", "money"),
        ("which flights are there", "travel"),
        ("an INVIOCE please, paying was weeks ago", "money"),
        ("HOTÉL", "travel"),
    ],
)
def test_the_best_is_whose_words_they_are(text: str, whose: str) -> None:
    """Misspelt, in capitals and with accents, too."""
    found = WordClassifier()(text, BOTH)
    assert found[0].handler == whose
    assert found[0].score > found[1].score


@pytest.mark.parametrize("text", ["", "привет, как дела?", "你好", "?!... 🙂", "zzyzx qqq"])
def test_what_no_expert_knows_is_nobodys(text: str) -> None:
    """Not a bit more one's than another's, also where there is only one."""
    assert set(scores(text).values()) == {0.0}
    assert set(scores(text, MONEY).values()) == {0.0}


def test_an_expert_alone_is_not_chosen_for_everything() -> None:
    """It needs about the evidence that its own examples have."""
    assert scores("the invoice is wrong", MONEY)["money"] > MIN_SCORE
    assert scores("my tomatoes are ill", MONEY)["money"] < MIN_SCORE


def test_who_declares_nothing_is_never_sure() -> None:
    """However many there are."""
    assert set(scores("anything", Expert("a"), Expert("b")).values()) == {0.0}
    assert WordClassifier()("anything", []) == []


def test_neither_order_nor_who_is_there_changes_scores() -> None:
    """Nor whether the experts were met before."""
    classify, text = WordClassifier(), "is the invoice for my flight there"
    found = classify(text, BOTH)
    away = [replace(it, available=False) for it in reversed(BOTH)]
    assert classify(text, away) == found == WordClassifier()(text, away)


def test_threads_that_meet_experts_at_once_learn_them_once() -> None:
    """And say the same."""
    classify = WordClassifier()
    assert not classify.knows(BOTH)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: classify("my flight", BOTH), range(8)))
    assert classify.knows(BOTH[::-1])
    assert found == [classify("my flight", BOTH)] * 8


TEXTS = st.text("abcde äß\n你", max_size=40)
EXPERTS = st.lists(
    st.builds(Expert, st.uuids().map(str), TEXTS, st.lists(TEXTS, max_size=5).map(tuple)),
    max_size=5,
)


@given(TEXTS, EXPERTS)
def test_scores_are_shares(text: str, experts: list[Expert]) -> None:
    """From 0 to 1, together at most 1, the best first, each expert once."""
    found = WordClassifier()(text, experts)
    assert sorted(it.handler for it in found) == sorted(it.handler for it in experts)
    assert all(0 <= it.score <= 1 for it in found)
    assert sum(it.score for it in found) <= 1 + 1e-9
    assert [it.score for it in found] == sorted((it.score for it in found), reverse=True)


@pytest.mark.parametrize("text", ["word " * 2000, "x" * 10_000, "\ufdfa" * 10_000, "é́" * 5000])
def test_what_is_looked_at_of_a_text_is_bounded(text: str) -> None:
    """Whatever it is made of, and whatever becomes of it when it is made comparable."""
    assert len(features(text)) <= LONGEST_TEXT * 4
    began = time.process_time()
    scores(text)
    assert time.process_time() - began < 0.1


def test_as_many_experts_as_may_be_are_learned_in_a_moment() -> None:
    """64 with 64 examples of 1 KiB each, of which each has a share that is looked at."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    examples = tuple(f"{letters[it % 26 :]} {it * 7919} " * 30 for it in range(64))
    experts = [Expert(f"e{at}", letters[at % 26 :], examples) for at in range(64)]
    began = time.process_time()
    scores("anything", *experts)
    assert time.process_time() - began < 5


def test_widths_and_forms_of_letters_make_no_difference() -> None:
    """NFKC, case folded, without accents."""
    assert features("ＳＴＲＡẞＥ Café") == features("strasse cafe")
    assert "=cafe" in features("cafe\u0301")
