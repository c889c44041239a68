"""What a log promises, in plain Python: every event that was ever appended, and what is gone."""

from dataclasses import dataclass, field

from antiphon.events.v1 import event_pb2

DAY_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Said:
    """An event as it was appended: whether it is a text delta, of which turn, with which text."""

    text: str
    turn: str = ""
    delta: bool = False

    def event(self) -> event_pb2.Event:
        """As the contract says it."""
        event = event_pb2.Event(actor="users/user_anna", turn_id=self.turn)
        if self.delta:
            event.text_delta_appended.text = self.text
        else:
            event.message_posted.message.parts.add(text=self.text)
        return event

    @classmethod
    def of(cls, event: event_pb2.Event) -> "Said":
        """Read an event that was delivered."""
        if event.HasField("text_delta_appended"):
            return cls(event.text_delta_appended.text, event.turn_id, delta=True)
        return cls(event.message_posted.message.parts[0].text, event.turn_id)


@dataclass(frozen=True, slots=True)
class Known:
    """A request id that was used: for what, when, and where that went."""

    body: tuple[Said, ...]
    at: float
    first: int
    last: int


@dataclass(slots=True)
class Log:
    """One scope: ``said`` never shrinks within an ``epoch``; ``gone`` offsets were removed."""

    epoch: int = 0
    said: list[Said] = field(default_factory=list)
    gone: set[int] = field(default_factory=set)
    earliest: int = 1
    requests: dict[str, Known] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """The last place."""
        return len(self.said)

    def left(self, after: int = 0) -> list[int]:
        """The places after ``after`` whose events are stored."""
        return [at for at in range(after + 1, self.last + 1) if at not in self.gone]

    def append(self, body: tuple[Said, ...]) -> tuple[int, int]:
        """Say ``body``; returns its places."""
        self.said.extend(body)
        return self.last - len(body) + 1, self.last

    def fold(self, turn: str) -> int:
        """Remove the turn's deltas that something follows; returns how many."""
        mine = {at for at in self.left() if self.said[at - 1].delta and self._is_of(at, turn)}
        others = [at for at in self.left() if at not in mine]
        folded = {at for at in mine if others and at < others[-1]}
        self.gone |= folded
        return len(folded)

    def _is_of(self, at: int, turn: str) -> bool:
        return self.said[at - 1].turn == turn

    def trim(self, before: int) -> int:
        """Remove what ends before ``before``; returns the earliest place."""
        dropped = [at for at in self.left() if at < before]
        self.gone.update(dropped)
        if dropped:
            self.earliest = dropped[-1] + 1
        return self.earliest

    def check(self, event: event_pb2.Event, position: int) -> int:
        """Hold that a reader at ``position`` may get ``event`` next; returns where it is then."""
        first, last = event.first_offset, event.last_offset
        assert 1 <= first <= last <= self.last, f"{first}-{last} of {self.last}"
        assert last > position, f"{last} again, at {position}"
        assert first <= position + 1, f"a hole: {first} at {position}"
        assert Said.of(event) == self.said[last - 1]
        covered = set(range(first, last))
        assert covered <= self.gone, f"{first}-{last} covers what was not removed"
        assert all(self.said[at - 1].delta for at in covered), f"{first}-{last} covers a message"
        return last


@dataclass(frozen=True, slots=True)
class Position:
    """A cursor that was given out, and what it stands for."""

    scope: str
    epoch: int
    offset: int
    cursor: str
