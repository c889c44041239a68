"""What detectors remember of one subject: little, and each signal costs the same."""

from typing import Protocol

from antiphon_server.anomalies.model import (
    Cost,
    Detector,
    Found,
    NewPlace,
    OddHours,
    Rate,
    Repetition,
    Sign,
    Signal,
    Verdicts,
)
from antiphon_server.anomalies.windows import Tally, Window, counted, within

MOST_TEXTS = 8
"""Of so many different texts each subject's repetitions are counted, those said last."""
MOST_PLACES = 16
HOUR_S = 3600.0
DAY_HOURS = 24
ORDINARY = Found(0.0)


class Memory(Protocol):
    """What one detector remembers of one subject."""

    def see(self, it: Detector, signal: Signal) -> Found:
        """Remember a signal, and say how far from the ordinary that is."""
        ...


class RateMemory:
    """How much was said."""

    __slots__ = ("_window",)

    def __init__(self) -> None:
        self._window = Window()

    def see(self, it: Detector, signal: Signal) -> Found:
        """See :meth:`Memory.see`."""
        assert isinstance(it.kind, Rate)
        kind, window = it.kind, self._window
        value = window.add(signal.at, it.window, signal.amount)
        score = window.share(value, kind.most, kind.times, kind.least)
        if score < it.threshold:
            return ORDINARY
        return Found(score, {"messages": value, "most": kind.most, **window.usually()})


class RepetitionMemory:
    """What was said last, as digests, and how often."""

    __slots__ = ("_texts",)

    def __init__(self) -> None:
        self._texts: dict[int, Tally] = {}

    def see(self, it: Detector, signal: Signal) -> Found:
        """See :meth:`Memory.see`."""
        assert isinstance(it.kind, Repetition)
        if not signal.fingerprint or signal.size < it.kind.least_bytes:
            return ORDINARY
        value = self._count(signal, it.window)
        score = min(1.0, value / it.kind.most)
        if score < it.threshold:
            return ORDINARY
        return Found(score, {"times": value, "most": it.kind.most})

    def _count(self, signal: Signal, length: float) -> float:
        texts, text = self._texts, signal.fingerprint
        tally = counted(texts.pop(text, None), signal.at, length, signal.amount)
        while texts:  # what was said last stands last
            oldest = next(iter(texts))
            if len(texts) < MOST_TEXTS and texts[oldest][0] >= tally[0] - 1:
                break
            del texts[oldest]
        texts[text] = tally
        return within(tally, signal.at, length)


class VerdictsMemory:
    """How often filters found something."""

    __slots__ = ("_window",)

    def __init__(self) -> None:
        self._window = Window()

    def see(self, it: Detector, signal: Signal) -> Found:
        """See :meth:`Memory.see`."""
        assert isinstance(it.kind, Verdicts)
        value = self._window.add(signal.at, it.window, signal.amount)
        return Found(min(1.0, value / it.kind.most), {"verdicts": value, "most": it.kind.most})


class CostMemory:
    """What was spent: the ledger has counted it."""

    __slots__ = ("_window",)

    def __init__(self) -> None:
        self._window = Window()

    def see(self, it: Detector, signal: Signal) -> Found:
        """See :meth:`Memory.see`."""
        assert isinstance(it.kind, Cost)
        kind, window = it.kind, self._window
        value = window.put(signal.at, it.window, signal.amount)
        score = window.share(value, kind.most_tokens, kind.times, kind.least_tokens)
        return Found(score, {"tokens": value, "most": kind.most_tokens, **window.usually()})


class PlacesMemory:
    """From where a user was seen, and when last."""

    __slots__ = ("_last", "_places")

    def __init__(self) -> None:
        self._places: dict[str, float] = {}
        self._last = ""

    def see(self, it: Detector, signal: Signal) -> Found:
        """See :meth:`Memory.see`."""
        if not signal.place:
            return ORDINARY
        known = len(self._places)
        is_new = bool(known) and signal.place not in self._places
        apart = signal.at - self._places.get(self._last, 0.0)
        self._note(signal)
        if not is_new:
            return ORDINARY
        evidence = {"known_places": float(known), "seconds_apart": max(0.0, apart)}
        return Found(1.0 if apart <= it.window else 0.5, evidence)

    def _note(self, signal: Signal) -> None:
        self._places.pop(signal.place, None)  # where somebody was last stands last
        self._places[signal.place] = signal.at
        self._last = signal.place
        if len(self._places) > MOST_PLACES:
            del self._places[next(iter(self._places))]


class HoursMemory:
    """In how many hours a subject has spoken, by the hour of the day in UTC."""

    __slots__ = ("_evidence", "_hour", "_hours", "_score", "_spoken")

    def __init__(self) -> None:
        self._hours = [0] * DAY_HOURS
        self._spoken = 0
        self._hour = -1
        self._score = 0.0
        self._evidence: dict[str, float] = {}

    def see(self, it: Detector, signal: Signal) -> Found:
        """See :meth:`Memory.see`. What is said later in an hour is as odd as what was first."""
        assert isinstance(it.kind, OddHours)
        hour = int(signal.at // HOUR_S)
        if hour > self._hour:
            self._judge(it.kind, hour % DAY_HOURS)
            self._hour = hour
            self._hours[hour % DAY_HOURS] += 1
            self._spoken += 1
        return Found(self._score, self._evidence) if self._score else ORDINARY

    def _judge(self, kind: OddHours, hour: int) -> None:
        self._score = 0.0
        if self._spoken < kind.least_hours:
            return
        beside = (hour - 1, hour, (hour + 1) % DAY_HOURS)
        share = sum(self._hours[it] for it in beside) / self._spoken
        self._score = max(0.0, 1 - share / kind.usual)
        self._evidence = {"hour": float(hour), "share": share, "hours_seen": float(self._spoken)}


MEMORIES: dict[type, tuple[Sign, type[Memory]]] = {
    Rate: (Sign.SAID, RateMemory),
    Repetition: (Sign.SAID, RepetitionMemory),
    Verdicts: (Sign.SCREENED, VerdictsMemory),
    Cost: (Sign.SPENT, CostMemory),
    NewPlace: (Sign.SIGNED_IN, PlacesMemory),
    OddHours: (Sign.SAID, HoursMemory),
}
"""Which signals each kind of detectors sees, and what it remembers of each subject."""
