"""What must hold of every history, whatever was done meanwhile: one function per promise.

Each returns what breaks it, in words; nothing if it holds.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from tests.proofs.robustness.cursor_rules import (
    lost_only_if_trimmed,
    old_cursors_are_answered,
    trimmed_in_time,
    trimmed_was_one_history,
)
from tests.proofs.robustness.history import Fact, History, Reader
from tests.proofs.robustness.ledger_rules import ledger_is_truth
from tests.proofs.robustness.posts import posts_are_stored
from tests.proofs.robustness.stops import ends_are_told, stop_reaches_the_model

Violations = Iterator[str]
ENDED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"})


def in_order(history: History) -> Violations:
    """Every reader sees places that only grow."""
    for name, _, facts in _sequences(history):
        for before, fact in pairwise(facts):
            if fact.last <= before.last and fact.first < before.first:
                yield f"{name}: {_place(fact)} came after {_place(before)}"


def no_gap(history: History) -> Violations:
    """Every reader sees every place, from where it began; the log has no hole."""
    resets = {
        reader.name: {it.seen: it.earliest for it in reader.resets} for reader in history.readers
    }
    for name, after, facts in _sequences(history):
        told = resets.get(name, {})
        if facts and after is not None and facts[0].first > told.get(0, after + 1):
            yield f"{name}: began with {_place(facts[0])} instead of {after + 1}"
        for at, (before, fact) in enumerate(pairwise(facts), 1):
            if fact.first > max(before.last + 1, told.get(at, 0)):
                yield f"{name}: nothing between {_place(before)} and {_place(fact)}"


def watches_keep_their_rules(history: History) -> Violations:
    """A watch is created, speaks, and ends, in this order; streams end as the contract says."""
    for reader in history.readers:
        yield from (f"{reader.name}: {what}" for what in reader.faults)


def stop_is_final(history: History) -> Violations:
    """When a stop was answered no more text comes, and the answered end is the turn's end."""
    ends = {fact.turn_id: fact for fact in history.log if fact.kind == "turn_finished"}
    for stop in history.stops:
        end = ends.get(stop.turn_id)
        if stop.state in ENDED and end is not None:
            if end.state != stop.state:
                yield f"turn {stop.turn_id}: {stop.state} was answered, {end.state} is stored"
            if end.first > stop.head and not stop.early:
                yield f"turn {stop.turn_id}: ended at {end.first}, was answered at {stop.head}"
        elif stop.state not in ENDED and end is None:
            yield f"turn {stop.turn_id}: was stopped while {stop.state}, and has no end"
        for name, _, facts in _sequences(history):
            for fact in facts:
                late = fact.turn_id == stop.turn_id and fact.first > stop.head
                if late and fact.kind == "text_delta_appended":
                    yield f"{name}: {_place(fact)} came after the stop at {stop.head}"


def no_double(history: History) -> Violations:
    """Nobody sees a place twice, unless an event took it over from folded deltas."""
    for name, _, facts in _sequences(history):
        for before, fact in pairwise(facts):
            if fact.last <= before.last:
                yield f"{name}: {_place(fact)} came again after {_place(before)}"
        posted = Counter(fact.message_id for fact in facts if fact.kind == "message_posted")
        yield from (f"{name}: message {it} came {n} times" for it, n in posted.items() if n > 1)


def accepted_is_kept(history: History) -> Violations:
    """What was answered as accepted is in the log and in the list of messages, once."""
    listed = Counter(message_id for message_id, _ in history.messages)
    posted = Counter(fact.message_id for fact in history.log if fact.kind == "message_posted")
    if history.earliest > 1:  # the log's part of it is gone on purpose
        posted = listed
    for where, counts in (("the log", posted), ("the list", listed)):
        for message_id in history.accepted_messages:
            if counts[message_id] != 1:
                yield f"message {message_id} is {counts[message_id]} times in {where}"
        yield from (f"message {it} is {n} times in {where}" for it, n in counts.items() if n > 1)
    begun = Counter(fact.turn_id for fact in history.log if fact.kind == "turn_accepted")
    for turn_id in history.accepted_turns:
        if begun[turn_id] != 1 and not (history.earliest > 1 and turn_id in history.turns):
            yield f"turn {turn_id} was accepted {begun[turn_id]} times"


def seen_is_kept(history: History) -> Violations:
    """What anybody has seen is in the log: the same event, or the message that took it over."""
    kept = {(fact.last, fact.kind, fact.digest) for fact in history.log}
    texts = _answers(history.log)
    for reader in history.readers:
        for fact in reader.facts:
            if (fact.last, fact.kind, fact.digest) in kept or fact.last < history.earliest:
                continue
            if fact.kind != "text_delta_appended":
                yield f"{reader.name}: saw {_place(fact)}, which the log does not have"
            elif not _holds(texts.get(fact.message_id, ""), fact):
                yield f"{reader.name}: saw a text at {_place(fact)} that the log does not have"


def every_turn_ends(history: History) -> Violations:
    """Each turn has one end in the log, nothing after it, and ListTurns agrees."""
    begun = {fact.turn_id for fact in history.log if fact.kind == "turn_accepted"}
    gone = history.earliest > 1  # the log's part of it, on purpose
    for turn_id in sorted(begun if gone else begun | set(history.accepted_turns)):
        of_turn = [fact for fact in history.log if fact.turn_id == turn_id]
        ends = [fact for fact in of_turn if fact.kind == "turn_finished"]
        if len(ends) != 1:
            yield f"turn {turn_id} ended {len(ends)} times"
            continue
        if ends[0].state not in ENDED or history.turns.get(turn_id) != ends[0].state:
            yield f"turn {turn_id}: {ends[0].state} in the log, {history.turns.get(turn_id)} stored"
        if of_turn[-1] is not ends[0]:
            yield f"turn {turn_id}: {_place(of_turn[-1])} came after its end"


def stored_is_delivered(history: History) -> Violations:
    """An answer's stored text is the text that was delivered: in pieces, whole, and by clients."""
    listed = dict(history.messages)
    answers = _answers(history.log)
    turns = {fact.message_id: fact.turn_id for fact in history.log if fact.message_id in answers}
    for message_id, text in answers.items():
        if message_id not in listed or listed[message_id].text != text:
            yield f"message {message_id}: the list has another text than the log"
        for reader in history.readers:
            yield from _delivered(reader, message_id, text)
            told = reader.told.get(turns[message_id])
            if told is not None and told != text:
                yield f"{reader.name}: was told {len(told)} of {len(text)} characters"
    answered = set(turns.values())
    for reader in history.readers:
        for turn_id, told in reader.told.items():
            if told and turn_id not in answered:
                yield f"{reader.name}: was told an answer to {turn_id}, which has none"


ALL: Sequence[Callable[[History], Violations]] = (
    in_order,
    no_gap,
    no_double,
    accepted_is_kept,
    posts_are_stored,
    seen_is_kept,
    every_turn_ends,
    stored_is_delivered,
    lost_only_if_trimmed,
    trimmed_in_time,
    trimmed_was_one_history,
    old_cursors_are_answered,
    watches_keep_their_rules,
    stop_is_final,
    stop_reaches_the_model,
    ends_are_told,
    ledger_is_truth,
)


def violations(history: History) -> list[str]:
    """All that is wrong with a history."""
    return [f"{rule.__name__}: {what}" for rule in ALL for what in rule(history)]


def _delivered(reader: Reader, message_id: str, text: str) -> Violations:
    """The pieces that a reader saw are the beginning of the text; all of it, if none was folded."""
    if reader.after is None and not _saw_begin(reader, message_id):
        return
    pieces, folded = b"", False
    for fact in reader.facts:
        folded |= fact.first < fact.last
        if fact.message_id != message_id:
            continue
        if fact.kind == "text_delta_appended":
            if fact.position != len(pieces):
                yield f"{reader.name}: {_place(fact)} is at {fact.position}, not {len(pieces)}"
                return
            pieces += fact.text.encode()
        elif not folded and pieces != text.encode():
            yield f"{reader.name}: {_place(fact)} has another text than its pieces"
    if not text.encode().startswith(pieces):
        yield f"{reader.name}: message {message_id} is not what came in pieces"


def _saw_begin(reader: Reader, message_id: str) -> bool:
    """Whether a reader who came at some time was there when the turn of a message began."""
    turns = {fact.turn_id for fact in reader.facts if fact.message_id == message_id}
    return any(fact.kind == "turn_accepted" and fact.turn_id in turns for fact in reader.facts)


def _answers(log: Sequence[Fact]) -> dict[str, str]:
    return {fact.message_id: fact.text for fact in log if fact.by_assistant}


def _holds(text: str, delta: Fact) -> bool:
    piece = delta.text.encode()
    return text.encode()[delta.position : delta.position + len(piece)] == piece


def _sequences(history: History) -> Iterator[tuple[str, int | None, Sequence[Fact]]]:
    yield "the log", history.earliest - 1, history.log
    for reader in history.readers:
        yield reader.name, reader.after, reader.facts


def _place(fact: Fact) -> str:
    return f"{fact.kind} at {fact.first}-{fact.last}"
