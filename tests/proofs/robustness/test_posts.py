"""The validator of posts finds what is stored otherwise than it was said."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.proofs.robustness.history import Fact, History, Reader, Seen, Sent, Stored, gist
from tests.proofs.robustness.posts import posts_are_stored, posts_repeated
from tests.proofs.robustness.test_validators import broken
from tests.proofs.robustness.validators import violations

POSTED = Fact(1, 1, "message_posted", "", "msg_1", "hello", author="users/anna")
LISTED = Stored("hello", author="users/anna")


def history() -> History:
    """One post: its first answer did not come, so it was sent twice."""
    sent = Sent("hello", "users/anna", tries=[1.0, 2.0], answers=[(3.0, "msg_1")])
    return History(
        author="users/anna",
        sent=[sent],
        accepted_messages=["msg_1"],
        log=[POSTED],
        messages=[("msg_1", LISTED)],
    )


def test_a_post_that_is_stored_breaks_nothing() -> None:
    """Sent twice, stored once."""
    assert violations(history()) == []


@pytest.mark.parametrize("there", [True, False])
def test_a_post_without_an_answer_may_be_stored_or_not(there: bool) -> None:
    """Who got no answer does not know."""
    it = history()
    assert it.sent is not None
    it.sent[0].answers, it.accepted_messages = [], []
    if not there:
        it.log, it.messages = [], []
    assert violations(it) == []


def test_a_trimmed_log_breaks_nothing() -> None:
    """What retention took from the log is in the list."""
    it = history()
    it.log, it.earliest = [], 2
    assert list(posts_are_stored(it)) == []


Change = Callable[[History], object]
_log = {
    "another text": lambda it: setattr(it, "log", [replace(POSTED, text="LOST")]),
    "another author": lambda it: setattr(it, "log", [replace(POSTED, author="users/ben")]),
    "another turn": lambda it: setattr(it, "log", [replace(POSTED, turn_id="turn_1")]),
    "another id": lambda it: setattr(it, "log", [replace(POSTED, message_id="msg_2")]),
    "twice": lambda it: setattr(
        it, "log", [POSTED, replace(POSTED, first=2, last=2, message_id="msg_2")]
    ),
    "lost": lambda it: setattr(it, "log", []),
}
_list = {
    "another text": lambda it: setattr(it, "messages", [("msg_1", Stored("LOST"))]),
    "another author": lambda it: setattr(it, "messages", [("msg_1", Stored("hello", author="b"))]),
    "twice": lambda it: setattr(it, "messages", [("msg_1", LISTED), ("msg_2", LISTED)]),
    "lost": lambda it: setattr(it, "messages", []),
}
_answers = {
    "two answers": lambda it: it.sent[0].answered("msg_2"),
    "said not to be stored": lambda it: setattr(it.sent[0], "answers", [(3.0, "")]),
    "sent by nobody": lambda it: it.sent.clear(),
}


@pytest.mark.parametrize(
    "change",
    [*_log.values(), *_list.values(), *_answers.values()],
    ids=[*(f"log: {it}" for it in _log), *(f"list: {it}" for it in _list), *_answers],
)
def test_a_post_that_is_stored_otherwise_is_found(change: Change) -> None:
    """Text, author, turn, id and number are as they were sent, in the log and in the list."""
    it = history()
    change(it)
    assert broken(posts_are_stored, it)


def test_a_lost_answer_is_counted() -> None:
    """A post that was seen by somebody, and sent again after that."""
    it = history()
    assert posts_repeated(it) == 0
    it.readers = [Reader("anna", 0, [Seen(1.5, POSTED)])]
    assert posts_repeated(it) == 1


def test_a_repeat_after_the_answer_is_counted() -> None:
    """A post that was accepted, and sent again after that."""
    it = history()
    assert it.sent is not None
    it.sent[0].tries.append(4.0)
    assert posts_repeated(it) == 1


def test_the_gist_of_a_long_text_tells_texts_apart() -> None:
    """Two long texts that differ at the end have another gist; short ones are their own."""
    assert gist("short") == "short"
    assert gist("x" * 9999 + "a") != gist("x" * 9999 + "b")
    assert len(gist("x" * 9999)) < 1000
