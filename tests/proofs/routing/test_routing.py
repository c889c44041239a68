"""The labelled set: experts get what is theirs more often than by chance, or nobody does."""

from collections import Counter

from tests.proofs.routing.labelled import NONE, experts, messages
from tests.proofs.routing.measuring import figures, sent


def test_the_set_is_what_it_is_said_to_be() -> None:
    """300 messages, half of each expert's declared, as many in each language; 30 of nobody."""
    declared, kept = messages("declared"), messages("kept")
    whose = Counter(it.expert for it in declared)
    assert set(whose.values()) == {25}
    assert Counter(it.expert for it in kept) == whose | Counter({NONE: 30})
    assert set(Counter(it.language for it in declared).values()) == {50}
    assert set(Counter(it.language for it in kept).values()) == {60}
    assert len({it.text for it in (*declared, *kept)}) == 330


def test_declared_messages_find_their_experts() -> None:
    """Whoever gives an example gets what is said in the same words."""
    declared = messages("declared")
    found = figures(sent(experts(declared), declared))
    assert found.best == 1


def test_kept_messages_find_their_experts_or_the_generalist() -> None:
    """Chance is right one time in six; docs/proof.md has what was measured."""
    found = figures(sent(experts(messages("declared")), messages("kept")))
    assert found.best >= 0.28
    assert found.right >= 0.42
    assert found.strange >= 0.80


def test_the_surer_it_has_to_be_the_oftener_it_is_right() -> None:
    """And the less is decided."""
    known, kept = experts(messages("declared")), messages("kept")
    some, few = (figures(sent(known, kept, it)) for it in (0.3, 0.5))
    assert few.right > some.right
    assert few.sure < some.sure
    assert few.strange >= 0.90
