"""Who gets a message."""

import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.routing.deciding import Router
from antiphon_server.routing.matching import Table
from antiphon_server.routing.model import Candidate, Classifier, Match, Outcome, Rule, Said
from tests.routing.people import DEFAULT, FirstNamed, decided, served

EXPERTS = Rule("experts", classifier=Classifier(), fallback="general")


def test_a_rule_names_the_handler() -> None:
    """And the decision says whose routes decided, and in which revision."""
    decision = decided(Said("hi"), Rule("all", handler="money"), experts=served("money"))
    assert (decision.handler, decision.outcome) == ("money", Outcome.RULE)
    assert (decision.parent, decision.revision, decision.rule) == ("ws_1", 3, "all")


def test_what_no_rule_of_the_workspace_matches_is_for_the_installation() -> None:
    """Whose revision is told then."""
    own = Rule("forms", match=Match(types=["form"]), handler="money")
    decision = decided(
        Said("hi"), own, installation=[Rule("rest", handler="law")], experts=served("law")
    )
    assert (decision.handler, decision.parent, decision.revision) == ("law", "global", 7)


def test_what_nobody_matches_is_for_the_default() -> None:
    """Nobody is asked who serves what, and the rules that were asked last are named."""
    experts = served("money")
    rule = Rule("forms", match=Match(types=["form"]), handler="money")
    decision = decided(Said("hi"), rule, experts=experts)
    assert (decision.handler, decision.outcome, decision.rule) == (DEFAULT, Outcome.DEFAULT, "")
    assert (decision.parent, decision.revision, experts.asked) == ("global", 7, 0)


def test_without_any_rules_it_is_the_default() -> None:
    """Of no parent, then."""
    decision = Router(DEFAULT, served(), FirstNamed()).decide(Said("hi"), [])
    assert (decision.handler, decision.parent, decision.revision) == (DEFAULT, "", 0)


def test_a_handler_that_is_away_leaves_its_messages_to_the_fallback() -> None:
    """And is named."""
    rule = Rule("all", handler="money", fallback="general")
    decision = decided(Said(), rule, experts=served("general", away=["money"]))
    assert (decision.handler, decision.outcome) == ("general", Outcome.AWAY)
    assert decision.passed_over == ("money",)


@pytest.mark.parametrize(
    ("rule", "fallback"),
    [
        (Rule("all", handler="money", fallback="general"), "general"),
        (replace(EXPERTS, fallback="law"), "law"),
        (Rule("all", handler="money", fallback="money"), ""),
        (Rule("all", handler="gone", fallback="general"), ""),
        (replace(EXPERTS, classifier=Classifier(min_score=0.9)), ""),
    ],
)
def test_who_may_vanish_has_the_rules_fallback_behind_it(rule: Rule, fallback: str) -> None:
    """Unless it is that one itself."""
    experts = served("money", "law", "general", away=["gone"])
    assert decided(Said("money=0.8"), rule, experts=experts).fallback == fallback


@pytest.mark.parametrize("fallback", ["", "gone"])
def test_without_a_fallback_that_is_there_the_next_rule_decides(fallback: str) -> None:
    """All that were passed over are named, once; who serves what is asked once."""
    experts = served("law", away=["money"])
    decision = decided(
        Said(),
        Rule("first", handler="money", fallback=fallback),
        Rule("second", handler="money"),
        Rule("third", handler="law"),
        experts=experts,
    )
    assert (decision.handler, decision.outcome, decision.rule) == ("law", Outcome.RULE, "third")
    assert decision.passed_over == tuple(it for it in ("money", fallback) if it)
    assert experts.asked == 1


def test_what_is_left_over_goes_to_the_default_with_those_passed_over() -> None:
    """However it came there."""
    decision = decided(Said(), Rule("all", handler="money"), experts=served())
    assert (decision.handler, decision.outcome) == (DEFAULT, Outcome.DEFAULT)
    assert decision.passed_over == ("money",)


def test_an_expert_is_chosen_by_what_is_said() -> None:
    """With all that were possible, the best first."""
    said = Said("law=0.2 travel=0.7")
    decision = decided(said, EXPERTS, experts=served("law", "travel", "general"))
    assert (decision.handler, decision.outcome) == ("travel", Outcome.CLASSIFIED)
    assert decision.candidates[:2] == (Candidate("travel", 0.7), Candidate("law", 0.2))
    assert decision.margin == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("law=0.39", Outcome.UNSURE),
        ("law=0.4", Outcome.CLASSIFIED),
        ("law=0.45 travel=0.40", Outcome.UNSURE),
        ("law=0.52 travel=0.40", Outcome.CLASSIFIED),
    ],
)
def test_who_is_not_clearly_the_best_does_not_get_it(text: str, outcome: Outcome) -> None:
    """A score of 0.4 and a margin of 0.1, unless the rule says others."""
    decision = decided(Said(text), EXPERTS, experts=served("law", "travel", "general"))
    assert decision.outcome is outcome
    assert decision.handler == ("law" if outcome is Outcome.CLASSIFIED else "general")


def test_a_rule_says_how_sure_it_has_to_be() -> None:
    """By score and by margin."""
    strict = Rule("experts", classifier=Classifier(min_score=0.9), fallback="general")
    wide = Rule("experts", classifier=Classifier(min_margin=0.8), fallback="general")
    for rule in (strict, wide):
        experts = served("law", "travel", "general")
        assert decided(Said("law=0.8 travel=0.1"), rule, experts=experts).outcome is Outcome.UNSURE


def test_who_is_unsure_without_a_fallback_leaves_it_to_the_next_rule() -> None:
    """Which decides alone: its decision has no candidates."""
    unsure = Rule("experts", classifier=Classifier())
    decision = decided(Said("x=1"), unsure, Rule("rest", handler="law"), experts=served("law"))
    assert (decision.handler, decision.rule, decision.candidates) == ("law", "rest", ())


def test_the_best_expert_is_chosen_before_it_is_asked_whether_it_is_there() -> None:
    """Another one's answer would be worse than the generalist's."""
    experts = served("law", "general", away=["travel"])
    decision = decided(Said("law=0.3 travel=0.6"), EXPERTS, experts=experts)
    assert (decision.handler, decision.outcome) == ("general", Outcome.AWAY)
    assert decision.passed_over == ("travel",)
    assert decision.candidates[0].handler == "travel"


def test_a_rule_may_name_the_experts() -> None:
    """Others are no candidates, and neither is one that nobody knows."""
    rule = Rule("some", classifier=Classifier(handlers=["law", "gone"]), fallback="general")
    experts = served("law", "travel", "general")
    decision = decided(Said("law=0.5 travel=0.9"), rule, experts=experts)
    assert decision.candidates == (Candidate("law", 0.5),)


def test_a_decision_names_eight_candidates_at_most() -> None:
    """Of however many."""
    names = [f"expert-{it}" for it in range(20)]
    decision = decided(Said("expert-7=0.9"), EXPERTS, experts=served(*names, "general"))
    assert (decision.handler, len(decision.candidates)) == ("expert-7", 8)


@pytest.mark.parametrize(
    ("rule", "text", "known", "by_a_thread"),
    [
        (Rule("words", match=Match(text_patterns=["x"]), handler="law"), "x" * 2048, True, False),
        (Rule("words", match=Match(text_patterns=["x"]), handler="law"), "x" * 2049, True, True),
        (Rule("all", handler="law"), "x" * 2049, True, False),
        (EXPERTS, "law=0.9", True, False),
        (EXPERTS, "law=0.9", False, True),
    ],
    ids=["short", "patterns in a long text", "no patterns", "known experts", "unknown experts"],
)
async def test_what_may_take_long_is_done_by_a_thread(
    rule: Rule, text: str, known: bool, by_a_thread: bool
) -> None:
    """And the decision is the same."""
    experts = served("law")
    router = Router(DEFAULT, experts, FirstNamed(known))
    tables = [Table("ws_1", 3, [rule])]
    decision = await router.decided(Said(text), tables)
    assert (experts.thread != threading.get_ident()) is by_a_thread
    assert decision == router.decide(Said(text), tables)
    assert decision.handler == "law"


RULES = st.lists(
    st.builds(
        lambda priority, types, handler, fallback: (priority, types, handler, fallback),
        st.integers(-3, 3),
        st.lists(st.sampled_from(["", "form", "command"]), max_size=2),
        st.sampled_from(["a", "b", "c", "d"]),
        st.sampled_from(["", "a", "b", "c"]),
    ),
    max_size=12,
)


@given(RULES, st.sampled_from(["", "form"]), st.sets(st.sampled_from("abcd")))
def test_the_first_that_can_decides(
    drawn: list[tuple[int, list[str], str, str]], said: str, here: set[str]
) -> None:
    """By priority, then as they stand: each by its handler, else by its fallback."""
    rules = [
        Rule(f"rule-{at}", priority, Match(types=types), handler, fallback=fallback)
        for at, (priority, types, handler, fallback) in enumerate(drawn)
    ]
    expected = DEFAULT, ""
    for rule in sorted(rules, key=lambda it: (-it.priority, rules.index(it))):
        able = [it for it in (rule.handler, rule.fallback) if it in here]
        if able and (not rule.match.types or said in rule.match.types):
            expected = able[0], rule.name
            break
    decision = decided(Said(type=said), *rules, experts=served(*here))
    assert (decision.handler, decision.rule) == expected
