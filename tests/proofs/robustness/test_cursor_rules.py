"""The rules about old cursors and retention find what breaks them."""

from dataclasses import replace

import pytest

from tests.proofs.robustness.cursor_rules import (
    lost_only_if_trimmed,
    old_cursors_are_answered,
    trimmed_in_time,
    trimmed_was_one_history,
)
from tests.proofs.robustness.history import Asked, Fact, Head, History, Reader, Reset, Seen, Stored
from tests.proofs.robustness.test_validators import broken
from tests.proofs.robustness.validators import violations

LOG = [Fact(at, at, "turn_progressed", digest=str(at)) for at in range(4, 7)]
RETENTION_S = 2.0
# Places 1 to 6 came in the first second; the log began at 4 from 3.1 s on.
HEADS = [Head(0.0, 0.1, 1, 0), Head(1.0, 1.1, 1, 6), Head(3.0, 3.1, 4, 6)]


def returner(after: int, *seen: Fact, reset: Reset | None = None) -> Reader:
    facts = [Seen(3.0, fact) for fact in seen]
    resets = [] if reset is None else [reset]
    return Reader("anna", after, facts, resets=resets, asked=Asked("ReadEvents", 6))


def trimmed(*readers: Reader, heads: list[Head] = HEADS) -> History:
    return History(list(readers), earliest=4, heads=heads, retention_s=RETENTION_S, log=LOG)


@pytest.mark.parametrize(
    "good",
    [returner(1, reset=Reset(0, 4, 3.0)), returner(4, LOG[1]), returner(6)],
    ids=["told that it is gone", "got what follows", "at the end"],
)
def test_an_answered_cursor_breaks_nothing(good: Reader) -> None:
    """Events, the word that they are gone, or nothing where nothing follows: all are answers."""
    assert violations(trimmed(good)) == []


@pytest.mark.parametrize("after", [0, 4, 5])
def test_a_cursor_that_gets_nothing_is_found(after: int) -> None:
    """An empty page, or a stream that ends without a word, is no answer while events follow."""
    assert broken(old_cursors_are_answered, trimmed(returner(after)))


def test_a_cursor_that_gets_what_was_before_it_is_found() -> None:
    """What stands at the cursor was had already."""
    assert broken(old_cursors_are_answered, trimmed(returner(4, LOG[0])))


@pytest.mark.parametrize("reset", [Reset(1, 4), Reset(1, 5)])
def test_history_that_is_said_to_be_gone_but_is_not_is_found(reset: Reset) -> None:
    """Nobody is sent away while what comes next for them is there."""
    reader = returner(3, LOG[0], LOG[1], reset=reset)
    assert broken(lost_only_if_trimmed, trimmed(reader))


def test_history_that_is_said_to_be_gone_before_it_goes_is_found() -> None:
    """What is trimmed in the end was still there when somebody asked for it."""
    liar = returner(1, reset=Reset(0, 4, 2.9))
    later = [*HEADS[:2], Head(2.95, 2.96, 1, 6), HEADS[2]]
    assert broken(lost_only_if_trimmed, trimmed(liar, heads=later))


@pytest.mark.parametrize(
    "heads",
    [
        [Head(0.0, 0.1, 1, 0), Head(1.0, 1.1, 1, 2), Head(1.5, 1.6, 4, 6)],
        [*HEADS, Head(4.0, 4.1, 2, 6)],
        [],
    ],
    ids=["half a second old", "a beginning that goes back", "nobody looked"],
)
def test_a_log_that_is_not_trimmed_as_it_should_be_is_found(heads: list[Head]) -> None:
    """What is gone is two seconds old, and stays gone; what was not watched is not judged."""
    assert len(broken(trimmed_in_time, trimmed(heads=heads))) == 1


def test_a_reset_that_comes_too_early_is_found() -> None:
    """Who is told that a young event is gone has been told too early."""
    early = [HEADS[0], Head(1.0, 1.0, 1, 2), HEADS[2]]
    hasty = returner(1, reset=Reset(0, 4, 1.2))
    assert broken(trimmed_in_time, trimmed(hasty, heads=early))


def test_a_log_that_was_to_be_kept_and_is_trimmed_is_found() -> None:
    """Without a retention nothing goes."""
    it = trimmed()
    it.retention_s = None
    assert broken(trimmed_in_time, it)


MESSAGE = Fact(1, 1, "message_posted", message_id="msg_1", text="hi", digest="hi")


def seen_before_it_went(*facts: Fact, listed: str = "hi") -> History:
    """Each was seen by somebody else."""
    it = trimmed(*(Reader(str(at), 0, [Seen(0.5, fact)]) for at, fact in enumerate(facts)))
    it.messages = [("msg_1", Stored(listed))]
    return it


def test_what_all_saw_before_it_went_breaks_nothing() -> None:
    """The same message for everybody, and it is listed."""
    assert violations(seen_before_it_went(MESSAGE, MESSAGE)) == []


@pytest.mark.parametrize(
    "bad",
    [
        seen_before_it_went(MESSAGE, replace(MESSAGE, digest="other")),
        seen_before_it_went(MESSAGE, listed="other"),
        seen_before_it_went(replace(MESSAGE, message_id="msg_2")),
    ],
    ids=["two histories", "listed otherwise", "not listed"],
)
def test_what_was_seen_otherwise_before_it_went_is_found(bad: History) -> None:
    """That the log does not have it any more is no reason to believe everything."""
    assert broken(trimmed_was_one_history, bad)
