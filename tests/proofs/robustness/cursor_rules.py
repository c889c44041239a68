"""What must hold of cursors whose place retention trims: an answer, and none too early.

Bounds of the log are sampled by GetHead: the log's beginning only grows, so what was said at
a time lies between the samples before and after it.
"""

from collections.abc import Iterator

from tests.proofs.robustness.history import Fact, History, Reader, Reset

# An event counts as old from its time stamp; that it is seen may take a part of the retention.
SURE = 0.5


def lost_only_if_trimmed(history: History) -> Iterator[str]:
    """Nobody is told that history is gone unless what comes next for them was trimmed by then."""
    for reader in history.readers:
        for reset in reader.resets:
            last = _before(reader, reset)
            if not last + 1 < reset.earliest <= _at_most(history, reset.at):
                yield f"{reader.name}: at {last} was told that the log begins at {reset.earliest}"


def trimmed_in_time(history: History) -> Iterator[str]:
    """Nothing is trimmed, or said to be, before the retention is over; nothing comes back."""
    told = [("the head", head.earliest, head.told) for head in history.heads]
    for reader in history.readers:
        told += [(reader.name, it.earliest, it.at) for it in reader.resets]
    if history.retention_s is None:
        if history.earliest > 1:
            yield f"the log begins at {history.earliest}, and was to be kept for ever"
        return
    if not history.heads:
        yield "nobody looked where the log begins"
    for name, earliest, at in told:
        age = at - _not_before(history, earliest - 1)
        if earliest > 1 and age < SURE * history.retention_s:
            yield f"{name}: {earliest - 1} was gone when it was at most {age:.2f} s old"
    begins = [head.earliest for head in history.heads]
    if begins != sorted(begins):
        yield "the log's beginning went back"


def old_cursors_are_answered(history: History) -> Iterator[str]:
    """Who comes back with an old cursor gets what follows it, or is told that it is gone."""
    for reader in history.readers:
        if reader.asked is None or reader.after is None:
            continue
        if reader.facts and reader.facts[0].last <= reader.after:
            yield f"{reader.name}: got {reader.facts[0].last} again"
        if not (reader.facts or reader.resets) and reader.after < reader.asked.head:
            yield f"{reader.name}: got nothing, though the log went to {reader.asked.head}"


def trimmed_was_one_history(history: History) -> Iterator[str]:
    """What is gone by now was the same for everybody who saw it, and its messages are listed."""
    seen: dict[int, Fact] = {}
    listed = dict(history.messages)
    for reader in history.readers:
        for fact in reader.facts:
            if fact.last >= history.earliest:
                continue
            if fact.digest != seen.setdefault(fact.last, fact).digest:
                yield f"{reader.name}: saw another {fact.kind} at {fact.last} than others"
            if fact.kind == "message_posted" and (
                fact.message_id not in listed or listed[fact.message_id].text != fact.text
            ):
                yield f"{reader.name}: saw a message at {fact.last} that is not listed so"


def _before(reader: Reader, reset: Reset) -> int:
    """The last place that a reader had when it was told."""
    return reader.facts[reset.seen - 1].last if reset.seen else reader.after or 0


def _at_most(history: History, at: float) -> int:
    """The log began here or before at that time."""
    later = [head.earliest for head in history.heads if head.asked >= at]
    return min(later, default=history.earliest)


def _not_before(history: History, offset: int) -> float:
    """A time at which that place was not there yet."""
    return max((head.asked for head in history.heads if head.last < offset), default=float("-inf"))
