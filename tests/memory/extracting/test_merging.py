"""Restatements are the same fact; a later statement takes a contradicted one's place."""

from antiphon_server.memory.extracting import Relation, relation, settled
from tests.memory.extracting.said import one


def between(earlier: str, later: str, language: str = "en") -> Relation:
    return relation(one(later, language), one(earlier, language))


def test_the_same_in_other_words_is_the_same() -> None:
    """Whatever is said around it."""
    assert between("I live in Lyon.", "By the way, I still live in Lyon!") is Relation.SAME
    assert between("J'aime le café.", "J'adore le café.", "fr") is Relation.SAME


def test_where_there_is_one_value_the_later_one_counts() -> None:
    """Somebody lives in one place."""
    assert between("I live in Leeds.", "I've moved to Lyon.") is Relation.REPLACES


def test_where_there_may_be_many_none_takes_the_others_place() -> None:
    """Somebody likes more than one thing."""
    assert between("I love tea.", "I love jazz.") is Relation.NONE


def test_a_taste_that_turns_replaces_what_it_was() -> None:
    """In both directions."""
    assert between("I love olives.", "I don't like olives any more.") is Relation.REPLACES
    assert between("I don't like olives.", "I love olives.") is Relation.REPLACES


def test_what_is_over_ends_only_what_said_that_very_thing() -> None:
    """Having left one town says nothing of another."""
    assert between("I live in Leeds.", "I no longer live in Leeds.") is Relation.REPLACES
    assert between("I live in Lyon.", "I used to live in Leeds.") is Relation.NONE


def test_a_plan_that_moves_takes_its_own_place() -> None:
    """The same plan at another date."""
    plan, moved = (
        "I start at the yard on the 2nd of June.",
        "I start at the yard on the 9th of June.",
    )
    assert between(plan, moved) is Relation.REPLACES


def test_facts_of_two_people_have_nothing_to_do_with_each_other() -> None:
    """Even if they say the same words."""
    mine = one("I live in Lyon.")
    other = type(mine)(**{it: getattr(mine, it) for it in mine.__slots__} | {"subject": "users/b"})
    assert relation(mine, other) is Relation.NONE


def test_settling_names_what_is_restated_and_what_is_replaced() -> None:
    """Among all that is known."""
    leeds, tea, lyon = one("I live in Leeds."), one("I love tea."), one("I live in Lyon.")
    assert settled(lyon, [leeds, tea]).replaces == [leeds]
    assert settled(one("I live in Leeds!"), [leeds, tea]).same == leeds
