"""What is sent to the server in one go: an RPC, who calls it, its requests as bytes."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import grpc

from antiphon_server.runtime.rpc.limits import Limits
from tests.e2e.contracts import Rpc
from tests.proofs.wire.grammar import Grammar
from tests.proofs.wire.mutation import garble, spoil

# Hashing a password takes as long as a hundred other calls; archiving takes away what
# the others work on.
RARE = {"Login": 0.02, "CreateUser": 0.01, "Logout": 0.2, "RevokeSession": 0.3}
RARE_PREFIX = {"Archive": 0.03}
STREAMED = 3.0
"""Streams have more to go wrong."""
WHO = ("user", "user", "user", "user", "operator", "operator", "nobody", "forged")
PLAIN, ONCE, MORE, BYTES = range(4)
WAYS = (PLAIN, ONCE, ONCE, MORE, MORE, BYTES, BYTES)
SHORT_DEADLINES = (0.0, 0.001, 0.01)


@dataclass(frozen=True, slots=True)
class Input:
    """One trial, whose bytes are base64 in files.

    ``cancel_after``: give up when so many requests are sent; ``deadline_s``: the call's own.
    """

    path: str
    who: str
    sent: tuple[bytes, ...]
    cancel_after: int | None = None
    deadline_s: float | None = None

    @property
    def excused(self) -> frozenset[grpc.StatusCode]:
        """What the transport itself may answer: too late, or a message beyond all limits."""
        late = {grpc.StatusCode.DEADLINE_EXCEEDED} if self.deadline_s is not None else set()
        large = any(len(data) > 2 * Limits().message_bytes for data in self.sent)
        return frozenset(late | {grpc.StatusCode.RESOURCE_EXHAUSTED} if large else late)

    def renamed(self, names: Mapping[str, str]) -> "Input":
        """The same with other ids in place of these; their lengths are equal."""
        sent = list(self.sent)
        for old, new in names.items():
            sent = [data.replace(old.encode(), new.encode()) for data in sent]
        return replace(self, sent=tuple(sent))


class Maker:
    """Makes inputs for any RPC; the same random numbers and pools give the same inputs."""

    def __init__(self, rpcs: Sequence[Rpc], grammars: Mapping[str, Grammar], rng: random.Random):
        self._rpcs = list(rpcs)
        self._weights = [weight_of(rpc) for rpc in rpcs]
        self._grammars = grammars
        self._rng = rng
        self._first = list(rpcs)
        self._before = b""

    def next(self) -> Input:
        """Another input; the first ones are for each RPC in turn."""
        rng = self._rng
        rpc = self._first.pop() if self._first else rng.choices(self._rpcs, self._weights)[0]
        who = rng.choice(WHO)
        streamed = rpc.method.client_streaming
        many = rng.choice((1, 1, 2, 3, 5, 8)) if streamed else 1
        sent = tuple(self._request(rpc, who) for _ in range(many))
        cancel = rng.randrange(many + 1) if rng.random() < (0.2 if streamed else 0.02) else None
        deadline = rng.choice(SHORT_DEADLINES) if rng.random() < 0.01 else None
        return Input(rpc.path, who, sent, cancel, deadline)

    def _request(self, rpc: Rpc, who: str) -> bytes:
        rng = self._rng
        grammar = self._grammars.get(who) or self._grammars["user"]
        message = grammar.message(rpc.request_type)
        way = rng.choice(WAYS)
        if way in (ONCE, MORE):
            for _ in range(1 if way == ONCE else rng.randrange(2, 6)):
                spoil(message, rng)
        data = message.SerializeToString()
        before, self._before = self._before, data[:4096]
        return garble(data, before, rng) if way == BYTES else data


def weight_of(rpc: Rpc) -> float:
    """How often an RPC is tried, beside the others."""
    name = rpc.method.name
    for prefix, weight in RARE_PREFIX.items():
        if name.startswith(prefix):
            return weight
    streamed = rpc.method.client_streaming or rpc.method.server_streaming
    return RARE.get(name, STREAMED if streamed else 1.0)
