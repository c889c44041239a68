"""What was spent, in groups of calls."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from antiphon_server.integration.ledger.model import CallKind, Money, Quantities, Usage


class Key(IntEnum):
    """What the calls of a group have in common. Values are those of the contract."""

    DAY = 1
    TARGET = 2
    USER = 3
    CONVERSATION = 4
    WORKSPACE = 5
    API_KEY = 6


class Group(NamedTuple):
    """Which calls; groups are in this order. Of what is not grouped by, the fields are empty.

    ``day`` counts from 1970-01-01 in the asked time zone.
    """

    day: int = 0
    target: str = ""
    kind: CallKind = CallKind(0)
    user_id: str = ""
    conversation_id: str = ""
    workspace_id: str = ""
    api_key_id: str = ""


class Clock(NamedTuple):
    """What clocks show until a time: by how much more than UTC, both in microseconds."""

    until_us: int
    ahead_us: int


@dataclass(frozen=True, slots=True)
class SpendingQuery:
    """Calls that began in [start, end), of a workspace or of all (""), and how to group them.

    ``clocks`` are those of the time zone over the range, in order. ``after`` leaves out groups up
    to that one, ``limit`` those behind so many.
    """

    workspace_id: str
    start_us: int
    end_us: int
    keys: frozenset[Key]
    clocks: tuple[Clock, ...]
    after: Group | None
    limit: int


@dataclass(frozen=True, slots=True)
class Portion:
    """The calls of a group whose price is of one currency; "" if it is unknown.

    ``micros`` and ``quantities`` are of those that ``ended``, what is ``held`` of those that run.
    """

    group: Group
    currency: str
    quantities: Quantities
    estimated: bool
    ended: int
    micros: int
    running: int
    held_micros: int
    held_tokens: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What a group took; ``usage`` has a cost where GetUsage's total had one."""

    group: Group
    usage: Usage
    ended: int
    costs: tuple[Money, ...]
    unpriced: int
    running: int
    held: tuple[Money, ...]
    held_tokens: int
