"""What is registered: one service at one node."""

from dataclasses import dataclass
from enum import Enum

from antiphon_server.mesh.model import Address


class State(Enum):
    """Whether an instance takes calls. The contract's values."""

    SERVING = 1
    DRAINING = 2


@dataclass(frozen=True, slots=True)
class Load:
    """What an instance has counted since its start, and has in hand."""

    ended: int = 0
    failed: int = 0
    running: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The identity of an instance."""

    service: str
    node_id: str


@dataclass(frozen=True, slots=True)
class Announced:
    """An instance, as it describes itself to the registry."""

    key: Key
    address: Address
    state: State = State.SERVING
    version: str = ""
    load: Load = Load()

    @property
    def leads(self) -> tuple[Key, Address, State, str]:
        """What others are told of at once; load is not."""
        return self.key, self.address, self.state, self.version


@dataclass(frozen=True, slots=True)
class Rates:
    """How often something happened of late, a second."""

    rpcs: float = 0.0
    failures: float = 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What an Envoy at the edge sees of an instance."""

    healthy: bool
    rates: Rates
    running: int


@dataclass(frozen=True, slots=True)
class Registered:
    """An instance as the registry knows it; times in Unix seconds."""

    announced: Announced
    registered: float
    renewed: float
    rates: Rates = Rates()
