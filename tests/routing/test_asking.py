"""When a person is asked who shall have their message, among whom, and what is so otherwise."""

from dataclasses import replace

import pytest

from antiphon.dispatcher.v1.route_pb2 import RouteAsk, RouteClassifier, RouteRule
from antiphon.events.v1.route_pb2 import ROUTE_OUTCOME_CHOSEN, RouteDecision
from antiphon_server.dispatcher.routed_model import Asks
from antiphon_server.routing.encoding import rule_message, rule_of
from antiphon_server.routing.finding import routed
from antiphon_server.routing.model import Ask, Classifier, Decision, Outcome, Rule, Said
from tests.routing.people import DEFAULT, Served, decided, served

ASKING = Rule("experts", classifier=Classifier(ask=Ask()), fallback="general")
UNSURE = Said("law=0.3 travel=0.35 money=0.1 health=0.05")


def there() -> Served:
    """All of them."""
    return served("law", "travel", "money", "health", "general")


def offered(decision: Decision) -> list[str]:
    """Who may be chosen."""
    assert decision.question is not None
    return [it.handler for it in decision.question.experts]


def test_who_is_unsure_asks_among_the_best_three() -> None:
    """It is the fallback's otherwise; the candidates and their scores are told as ever."""
    decision = decided(UNSURE, ASKING, experts=there())
    assert (decision.handler, decision.outcome, decision.rule) == (
        "general",
        Outcome.ASKED,
        "experts",
    )
    assert offered(decision) == ["travel", "law", "money"]
    assert decision.question is not None
    assert decision.question.wait_s == 3600
    assert (decision.parent, decision.revision) == ("ws_1", 3)
    assert decision.otherwise is not None
    assert replace(decision.otherwise, question=None) == decided(
        UNSURE, replace(ASKING, classifier=Classifier()), experts=there()
    )


def test_who_is_sure_asks_nobody() -> None:
    decision = decided(Said("law=0.8"), ASKING, experts=there())
    assert (decision.handler, decision.outcome, decision.question) == (
        "law",
        Outcome.CLASSIFIED,
        None,
    )


@pytest.mark.parametrize(
    ("said", "ask", "here", "expected"),
    [
        (UNSURE, Ask(most=1), there(), ["travel"]),
        (UNSURE, Ask(most=8), there(), ["travel", "law", "money", "health"]),
        (UNSURE, Ask(most=8, min_score=0.1), there(), ["travel", "law", "money"]),
        (UNSURE, Ask(), served("law", "general", away=["travel", "money"]), ["law"]),
    ],
)
def test_a_rule_says_whom_it_offers(
    said: Said, ask: Ask, here: Served, expected: list[str]
) -> None:
    """Of those who are there, and for whom something speaks."""
    rule = replace(ASKING, classifier=Classifier(ask=ask))
    assert offered(decided(said, rule, experts=here)) == expected


@pytest.mark.parametrize(
    ("said", "here"),
    [
        (Said("hello=1"), there()),
        (replace(UNSURE, attended=False), there()),
        (UNSURE, served("general", away=["law", "travel"])),
    ],
    ids=["nothing speaks for anybody", "nobody waits", "nobody is there"],
)
def test_where_there_is_nobody_to_offer_or_to_ask_it_is_the_fallback(
    said: Said, here: Served
) -> None:
    decision = decided(said, ASKING, experts=here)
    assert (decision.handler, decision.outcome, decision.question) == (
        "general",
        Outcome.UNSURE,
        None,
    )


def test_without_a_fallback_it_is_what_the_next_rules_decide() -> None:
    """None of which asks once more."""
    first = replace(ASKING, fallback="")
    second = replace(ASKING, name="second", fallback="")
    decision = decided(UNSURE, first, second, experts=there())
    assert (decision.handler, decision.outcome, decision.rule) == (
        DEFAULT,
        Outcome.ASKED,
        "experts",
    )
    assert decision.otherwise is not None
    assert decision.otherwise.outcome is Outcome.DEFAULT
    rest = Rule("rest", handler="law")
    decision = decided(UNSURE, first, rest, experts=there())
    assert decision.otherwise is not None
    assert (decision.handler, decision.otherwise.rule) == ("law", "rest")


def _asks(decision: Decision) -> Asks:
    asks = routed(decision).asks
    assert asks is not None
    return asks


def test_what_is_told_of_who_is_chosen_is_ready_before() -> None:
    """Also of the fallback, should that one vanish; nothing of it asks again."""
    asks = _asks(decided(UNSURE, ASKING, experts=there()))
    assert [it.routed.handler for it in asks.offers] == ["travel", "law", "money"]
    chosen = asks.offers[1].routed
    decision = RouteDecision.FromString(chosen.decision)
    assert (decision.handler, decision.outcome) == ("law", ROUTE_OUTCOME_CHOSEN)
    assert (decision.fallback, list(decision.question.handlers)) == (
        "general",
        ["travel", "law", "money"],
    )
    assert chosen.fallback is not None
    assert chosen.fallback.handler == "general"
    everything = [*(it.routed for it in asks.offers), asks.otherwise, chosen.fallback]
    assert {it.asks for it in everything} == {None}


@pytest.mark.parametrize("ask", [None, RouteAsk(), RouteAsk(most=2, min_score=0.2)])
def test_a_rule_is_read_as_it_was_written(ask: RouteAsk | None) -> None:
    if ask is not None and ask.most:
        ask.wait.FromSeconds(90)
    rule = RouteRule(name="experts", classifier=RouteClassifier(min_score=0.5, ask=ask))
    assert rule_message(rule_of(rule)) == rule
