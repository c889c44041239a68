"""Who gets a message, as routes have found it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Routed:
    """Who gets a message; ``decision`` is why: a RouteDecision, serialised.

    ``fallback`` is who gets it if the handler vanishes, and what is said of that then. ``asks`` is
    what the person who sent it is asked before.
    """

    handler: str
    decision: bytes
    fallback: "Routed | None" = None
    asks: "Asks | None" = None


@dataclass(frozen=True, slots=True)
class Offer:
    """An expert that a person may choose, what it says of itself, and what is said if they do."""

    description: str
    routed: Routed


@dataclass(frozen=True, slots=True)
class Asks:
    """Who may be chosen, how long that is waited for, and who gets the message if nobody is."""

    offers: tuple[Offer, ...]
    wait_s: float
    otherwise: Routed


@dataclass(frozen=True, slots=True)
class Chosen:
    """What came of asking: the handler, "" if none was chosen; the actor, "" if nobody answered."""

    handler: str = ""
    actor: str = ""
