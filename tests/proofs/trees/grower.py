"""A worker whose turns grow trees: `root 2 800 3 12` has three branches of twelve leaves each.

Branches ask for theirs in two rounds, and leaves last 800 ms. What each answers has the places of
all that are under it, so the root's answer is the whole tree. What is begun, given, ended and
stopped is printed. Run as a program.
"""

import asyncio
import time

from antiphon_client.worker import Delegated, Work, Worker

HANDLER = "forest"
SLOTS = 20
"""So that no worker has a whole tree."""


def _say(*words: object) -> None:
    print(*words, flush=True)


class _Behind:
    """Says what earlier attempts have not said."""

    def __init__(self, work: Work) -> None:
        self._work, self._said = work, len(work.resumed_text)

    async def write(self, text: str) -> None:
        """The next piece of the whole answer."""
        new = text[self._said :]
        self._said = max(0, self._said - len(text))
        if new:
            await self._work.write(new)


async def grow(work: Work) -> None:
    """Do what the message says."""
    place, rounds, ms, *numbers = work.message.split()
    _say("begun", work.turn_id, work.attempt, place)
    try:
        answer = _Behind(work)
        if numbers:
            await _branch(work, answer, place, int(rounds))
        else:
            for letter in place:
                await asyncio.sleep(int(ms) / 1000 / len(place))
                await answer.write(letter)
    except asyncio.CancelledError:
        _say("stopped", work.turn_id, time.monotonic())
        raise
    _say("ended", work.turn_id)


async def _branch(work: Work, answer: _Behind, place: str, rounds: int) -> None:
    _, _, ms, many, *rest = work.message.split()
    children = [f"{place}.{number}" for number in range(int(many))]
    told = " ".join([str(rounds), ms, *rest])
    await answer.write(f"{place}(")
    for at in range(rounds):
        asked = children[at::rounds]
        ends = await work.delegate_all([(HANDLER, f"{child} {told}") for child in asked])
        said = [_said(end) for end in ends]
        _say("given", work.turn_id, at, *said)
        await answer.write(";".join(said) + ";")
    await answer.write(")")


def _said(end: Delegated) -> str:
    if end.error is not None:
        return f"!{end.error.reason}"
    return end.text or "nothing"


def grown(place: str, rounds: int, numbers: tuple[int, ...]) -> str:
    """What a turn of that place answers if all goes well."""
    if not numbers:
        return place
    many, *rest = numbers
    children = [grown(f"{place}.{number}", rounds, tuple(rest)) for number in range(many)]
    return f"{place}({''.join(';'.join(children[at::rounds]) + ';' for at in range(rounds))})"


def main() -> None:
    """Serve the handler until told to stop."""
    worker = Worker("forest", slots=SLOTS)
    worker.handler(HANDLER, description="Grows trees of turns.")(grow)
    asyncio.run(worker.run())


if __name__ == "__main__":
    main()
