"""Each validator finds the histories that break its promise."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from tests.proofs.robustness import validators
from tests.proofs.robustness.history import Fact, Head, History, Reader, Reset, Seen, Stop, Stored
from tests.proofs.robustness.validators import Violations, violations

Rule = Callable[[History], Violations]
Change = Callable[[History], object]
QUESTION = Fact(1, 1, "message_posted", "turn_1", "msg_q", "hi", digest="q")
ACCEPTED = Fact(2, 2, "turn_accepted", "turn_1", digest="a")
PIECES = [
    Fact(3, 3, "text_delta_appended", "turn_1", "msg_r", "wö", 0, digest="d1"),
    Fact(4, 4, "text_delta_appended", "turn_1", "msg_r", "rd", 3, digest="d2"),
]
REPLY = Fact(5, 5, "message_posted", "turn_1", "msg_r", "wörd", by_assistant=True, digest="r")
FOLDED = replace(REPLY, first=3)
END = Fact(6, 6, "turn_finished", "turn_1", state="SUCCEEDED", digest="e")
WHOLE = [QUESTION, ACCEPTED, *PIECES, REPLY, END]


def reader(*facts: Fact, told: str | None = None) -> Reader:
    seen = [Seen(float(at), fact) for at, fact in enumerate(facts)]
    return Reader("anna", 0, seen, {} if told is None else {"turn_1": told})


def history(*readers: Reader) -> History:
    """One turn that went well."""
    return History(
        readers=list(readers),
        accepted_messages=["msg_q"],
        accepted_turns=["turn_1"],
        log=[QUESTION, ACCEPTED, FOLDED, END],
        messages=[
            ("msg_r", Stored("wörd", "turn_1", by_assistant=True)),
            ("msg_q", Stored("hi", "turn_1")),
        ],
        turns={"turn_1": "SUCCEEDED"},
    )


@pytest.mark.parametrize(
    "facts",
    [
        WHOLE,
        [QUESTION, ACCEPTED, FOLDED, END],
        [QUESTION, ACCEPTED, PIECES[0], FOLDED, END],
        [QUESTION, ACCEPTED],
        [],
    ],
    ids=["all", "folded", "folded after a piece", "only the beginning", "nothing"],
)
def test_a_good_history_breaks_nothing(facts: list[Fact]) -> None:
    """Whoever sees all, or comes back when the pieces are folded, sees it right."""
    assert violations(history(reader(*facts, told="wörd"))) == []


def test_a_reader_from_the_middle_is_right() -> None:
    """Who began later has not missed what came before."""
    late = reader(END)
    late.after = None
    assert violations(history(late)) == []


def broken(rule: Rule, it: History) -> list[str]:
    assert any(what.startswith(rule.__name__) for what in violations(it)), "nobody noticed"
    return list(rule(it))


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        (validators.in_order, [QUESTION, PIECES[0], ACCEPTED]),
        (validators.no_gap, [QUESTION, ACCEPTED, PIECES[1]]),
        (validators.no_gap, [ACCEPTED]),
        (validators.no_double, [QUESTION, QUESTION]),
        (
            validators.no_double,
            [QUESTION, ACCEPTED, *PIECES, REPLY, replace(REPLY, first=6, last=6)],
        ),
        (validators.seen_is_kept, [QUESTION, replace(ACCEPTED, digest="other")]),
        (validators.seen_is_kept, [QUESTION, ACCEPTED, replace(PIECES[0], text="was")]),
        (validators.seen_is_kept, [*WHOLE, Fact(7, 7, "turn_progressed", "turn_1")]),
        (
            validators.stored_is_delivered,
            [QUESTION, ACCEPTED, PIECES[0], replace(PIECES[1], position=2)],
        ),
        (
            validators.stored_is_delivered,
            [QUESTION, ACCEPTED, PIECES[0], replace(PIECES[0], first=4, last=4)],
        ),
        (
            validators.stored_is_delivered,
            [QUESTION, ACCEPTED, PIECES[0], replace(REPLY, first=4, last=4)],
        ),
        (
            validators.stored_is_delivered,
            [QUESTION, ACCEPTED, replace(PIECES[0], text="wörd und mehr")],
        ),
    ],
)
def test_what_a_reader_saw_wrongly_is_found(rule: Rule, facts: list[Fact]) -> None:
    """A reader who saw too little, too much, in another order or something else."""
    assert broken(rule, history(reader(*facts)))


@pytest.mark.parametrize("told", ["wö", "wördwörd", ""])
def test_what_a_client_told_wrongly_is_found(told: str) -> None:
    """A client that hands out another text than the stored one."""
    assert broken(validators.stored_is_delivered, history(reader(told=told)))


def test_a_ghost_is_found() -> None:
    """A client was told an answer that is not stored at all."""
    it = history(reader(told="wö"))
    it.log, it.messages = [QUESTION, ACCEPTED, replace(END, first=3, last=3)], it.messages[1:]
    assert broken(validators.stored_is_delivered, it)


def after_all(fact: Fact) -> Fact:
    return replace(fact, first=7, last=7)


STORED_WRONGLY: dict[str, tuple[Change, Sequence[Rule]]] = {
    "a hole in the log": (
        lambda it: setattr(it, "log", [QUESTION, ACCEPTED, replace(FOLDED, first=4), END]),
        [validators.no_gap],
    ),
    "a lost message": (
        lambda it: it.accepted_messages.append("msg_lost"),
        [validators.accepted_is_kept],
    ),
    "a message that is there only in the list": (
        lambda it: setattr(it, "log", it.log[1:]),
        [validators.accepted_is_kept],
    ),
    "a message that is there only in the log": (
        lambda it: setattr(it, "messages", it.messages[:1]),
        [validators.accepted_is_kept],
    ),
    "a doubled message": (
        lambda it: setattr(it, "log", [*it.log, after_all(QUESTION)]),
        [validators.accepted_is_kept],
    ),
    "a lost turn": (
        lambda it: it.accepted_turns.append("turn_lost"),
        [validators.accepted_is_kept, validators.every_turn_ends],
    ),
    "no end": (lambda it: setattr(it, "log", it.log[:-1]), [validators.every_turn_ends]),
    "a second end": (
        lambda it: setattr(it, "log", [*it.log, after_all(END)]),
        [validators.every_turn_ends],
    ),
    "text after the end": (
        lambda it: setattr(it, "log", [*it.log, after_all(PIECES[0])]),
        [validators.every_turn_ends],
    ),
    "another state": (
        lambda it: it.turns.update(turn_1="RUNNING"),
        [validators.every_turn_ends],
    ),
    "another text": (
        lambda it: setattr(it, "messages", [("msg_r", Stored("wör")), *it.messages[1:]]),
        [validators.stored_is_delivered],
    ),
}


@pytest.mark.parametrize(("change", "rules"), STORED_WRONGLY.values(), ids=STORED_WRONGLY)
def test_what_is_stored_wrongly_is_found(change: Change, rules: Sequence[Rule]) -> None:
    """Of what was accepted nothing is missing, doubled or otherwise; every turn has one end."""
    it = history()
    change(it)
    for rule in rules:
        assert broken(rule, it)


def test_who_came_in_mid_answer_has_not_seen_all() -> None:
    """A reader who came when the answer had begun knows only its end."""
    late = reader(PIECES[1], REPLY, END)
    late.after = None
    assert violations(history(late)) == []


def trimmed(*readers: Reader) -> History:
    """The same turn, of whose log only the end is left."""
    it = history(*readers)
    it.log, it.earliest = [END], 6
    it.retention_s, it.heads = 2.0, [Head(0.0, 0.0, 1, 0)]
    return it


def test_who_is_told_that_history_is_gone_breaks_nothing() -> None:
    """A reader that was away, is told where the log begins now, and goes on there."""
    away = reader(QUESTION, END)
    away.name, away.resets = "away", [Reset(1, 6)]
    assert violations(trimmed(away, reader(QUESTION, ACCEPTED))) == []


def test_who_is_told_that_all_is_gone_has_come_to_the_end() -> None:
    """A log that was trimmed to its end has nothing more to see."""
    away = reader(QUESTION)
    away.resets = [Reset(1, 7)]
    assert away.end == END.last


def test_a_silent_skip_of_trimmed_history_is_found() -> None:
    """History that is gone must be said to be gone, even if it is."""
    assert broken(validators.no_gap, trimmed(reader(QUESTION, END)))


def test_a_skip_beyond_what_was_said_to_be_gone_is_found() -> None:
    """A reader that is told that the log begins at 3 must get what is there."""
    away = reader(QUESTION, END)
    away.resets = [Reset(1, 3)]
    assert broken(validators.no_gap, trimmed(away))


def test_a_watch_that_breaks_its_rules_is_found() -> None:
    """What a stream said against its own rules counts."""
    odd = reader(*WHOLE)
    odd.faults.append("a batch of a watch that is not open")
    assert broken(validators.watches_keep_their_rules, history(odd))


def stopped(stop: Stop, *readers: Reader) -> History:
    """The same turn, stopped."""
    it = history(*readers)
    it.log = [*it.log[:-1], replace(END, state="CANCELLED")]
    it.turns, it.stops = {"turn_1": "CANCELLED"}, [stop]
    return it


def test_a_stop_that_stops_breaks_nothing() -> None:
    """Answered after the turn's end: nothing came later."""
    assert violations(stopped(Stop("turn_1", "CANCELLED", 6))) == []


@pytest.mark.parametrize(
    ("stop", "ends", "count"),
    [
        (Stop("turn_1", "CANCELLED", 3), True, 2),
        (Stop("turn_1", "SUCCEEDED", 6), True, 1),
        (Stop("turn_1", "RUNNING", 6), False, 1),
    ],
    ids=["text and an end after it", "another end than was answered", "no end"],
)
def test_a_stop_that_does_not_stop_is_found(stop: Stop, ends: bool, count: int) -> None:
    """Nothing was committed after its answer, which tells the turn's last state."""
    it = stopped(stop, reader(QUESTION, ACCEPTED, *PIECES))
    it.log = it.log if ends else it.log[:-1]
    assert len(broken(validators.stop_is_final, it)) == count
