"""What people said is stored as they said it: the text, who, in which turn, once."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.proofs.robustness.history import History, Sent, Stored

Messages = Sequence[tuple[str, Stored]]
SHOWN = 60


def posts_are_stored(history: History) -> Iterator[str]:
    """Each accepted post is in the log and in the list as it was sent, once; nothing else is.

    What was not answered may be there or not, but not twice. A repeated request gets the
    first answer.
    """
    if history.sent is None:
        return
    sent = {it.text: it for it in history.sent}
    for one in history.sent:
        if len(ids := {message_id for _, message_id in one.answers}) > 1:
            yield f"{_name(one)} was accepted as {sorted(map(str, ids))}"
    for where, messages in (("the log", _logged(history)), ("the list", _listed(history))):
        for message_id, stored in messages:
            yield from _differs(where, message_id, stored, sent.get(stored.text))
        counts = Counter(stored.text for _, stored in messages)
        may_be_gone = where == "the log" and history.earliest > 1
        for one in history.sent:
            count, fits = counts[one.text], _fitting(one, may_be_gone=may_be_gone)
            if count not in fits:
                yield f"{_name(one)} is {count} times in {where}, not {fits[-1]}"


def posts_repeated(history: History) -> int:
    """How many posts were sent again when they had been stored: somebody had seen them."""
    seen: dict[str, float] = {}
    for reader in history.readers:
        for it in reader.seen:
            if it.fact.kind == "message_posted":
                seen[it.fact.text] = min(it.at, seen.get(it.fact.text, it.at))
    return sum(_repeated(one, seen.get(one.text)) for one in history.sent or ())


def _repeated(one: Sent, seen_at: float | None) -> bool:
    stored = [at for at, message_id in one.answers if message_id != ""]
    stored += [seen_at] if seen_at is not None else []
    return bool(stored) and one.tries[-1] > min(stored)


def _fitting(one: Sent, *, may_be_gone: bool) -> tuple[int, ...]:
    """How often a text may be stored."""
    if one.answers and one.answers[0][1] == "":
        return (0,)
    return (0, 1) if may_be_gone or not one.answers else (1,)


def _differs(where: str, message_id: str, stored: Stored, one: Sent | None) -> Iterator[str]:
    if one is None:
        yield f"message {message_id} in {where} is of nobody: {stored.text[:SHOWN]!r}"
        return
    answered = {accepted for _, accepted in one.answers} - {None}
    if answered and message_id not in answered:
        yield f"{_name(one)} is {message_id} in {where}, but was accepted as {answered}"
    if (stored.author, stored.turn_id) != (one.author, one.turn_id):
        yield (
            f"{_name(one)} of {one.author} in turn {one.turn_id!r} is in {where} as of "
            f"{stored.author} in turn {stored.turn_id!r}"
        )


def _logged(history: History) -> Messages:
    return [
        (fact.message_id, Stored(fact.text, fact.turn_id, fact.by_assistant, fact.author))
        for fact in history.log
        if fact.kind == "message_posted" and not fact.by_assistant
    ]


def _listed(history: History) -> Messages:
    return [it for it in history.messages if not it[1].by_assistant]


def _name(one: Sent) -> str:
    return f"post {one.text[:SHOWN]!r}"
