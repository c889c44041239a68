"""One Envoy on its stream: what it asked for, what it was told, what it made of that."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from envoy_data_plane.envoy.service.discovery.v3 import DiscoveryRequest, DiscoveryResponse
from envoy_data_plane.google.protobuf import Any

from antiphon_server.mesh.resources import ORDER, Resources, Snapshot

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Subscription:
    """To one type of resources. ``names`` are none where all are meant."""

    names: frozenset[str] = frozenset()
    sent: str = ""
    nonce: str = ""
    accepted: str = ""


@dataclass(slots=True)
class Subscriber:
    """State of the world: each answer has all resources of a type that were asked for.

    An answer is sent once. Envoy accepts it (ACK) or keeps what it had and says why (NACK);
    it is told again when there is something else to tell.
    """

    node: str = "?"
    _subscriptions: dict[str, _Subscription] = field(default_factory=dict)
    _answers: int = 0

    def asked(self, request: DiscoveryRequest, snapshot: Snapshot) -> DiscoveryResponse | None:
        """Take up a request; the answer, if there is one to be sent."""
        if request.node is not None:
            self.node = request.node.id
        resources = snapshot.get(request.type_url)
        if resources is None:
            return None  # nothing of that type here
        known = self._subscriptions.setdefault(request.type_url, _Subscription())
        if request.response_nonce and request.response_nonce != known.nonce:
            return None  # about an answer before the last
        if request.response_nonce:
            self._record_answer(request, known)
        names = frozenset(request.resource_names)
        if request.response_nonce and names == known.names:
            return None
        known.names = names
        return self._answer(resources, known)

    def updates(self, snapshot: Snapshot) -> Iterator[DiscoveryResponse]:
        """Answers for what it asked for and does not have yet."""
        for type_url in ORDER:
            known = self._subscriptions.get(type_url)
            if known is not None and known.sent != snapshot[type_url].version:
                yield self._answer(snapshot[type_url], known)

    def _record_answer(self, request: DiscoveryRequest, known: _Subscription) -> None:
        if request.error_detail is None:
            known.accepted = known.sent
            return
        log.error(
            "Envoy %s does not take %s of version %s, and keeps %s: %s",
            self.node,
            request.type_url.rpartition(".")[2],
            known.sent,
            known.accepted or "none",
            request.error_detail.message,
        )

    def _answer(self, resources: Resources, known: _Subscription) -> DiscoveryResponse:
        self._answers += 1
        known.sent, known.nonce = resources.version, str(self._answers)
        wanted = resources.by_name.items()
        found = [raw for name, raw in wanted if not known.names or name in known.names]
        return DiscoveryResponse(
            version_info=resources.version,
            type_url=resources.type_url,
            nonce=known.nonce,
            resources=list(map(Any.parse, found)),
        )
