"""Connections that began TLS and never made a call: what can be known of handshakes that failed.

gRPC's core tells nobody of a handshake's end. It asks for the certificate when one begins, and a
connection that came about makes a call; what is left over failed, or was a probe. Why, only the
core's own log says (``GRPC_VERBOSITY=INFO``), or Envoy's where that speaks TLS.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

LOOK_S = 60.0
MOST_PEERS = 20_000
log = logging.getLogger(__name__)


class Handshakes:
    """A collector for a prometheus_client registry. ``run`` tells the log, once a minute at most.

    ``began`` is called by gRPC's threads, one at a time; all else on the loop.
    """

    def __init__(self) -> None:
        self._begun = 0
        self._begun_before = 0
        self._used = 0
        self._failed = 0
        self._peers: OrderedDict[str, None] = OrderedDict()

    def began(self) -> None:
        """Somebody connected."""
        self._begun += 1

    def called(self, peer: str) -> None:
        """A call came in on a connection, by its address and port."""
        if peer in self._peers:
            return
        self._used += 1
        self._peers[peer] = None
        if len(self._peers) > MOST_PEERS:
            self._peers.popitem(last=False)

    def look(self) -> int:
        """How many more have failed since the look before: they had so long to make a call."""
        failed = max(self._failed, self._begun_before - self._used)
        more, self._failed = failed - self._failed, failed
        self._begun_before = self._begun
        return more

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            if more := self.look():
                log.warning(
                    "%d connections began TLS and made no call: they do not trust the certificate, "
                    "speak no TLS or no HTTP/2, lack a certificate of their own, or are probes",
                    more,
                )

    def collect(self) -> Iterator[Any]:
        """Yield prometheus_client's metric families."""
        from prometheus_client.core import CounterMetricFamily

        what = "Connections that began TLS."
        yield CounterMetricFamily("antiphon_tls_handshakes", what, value=self._begun)
        what = "Those that made no call within a minute or two."
        yield CounterMetricFamily("antiphon_tls_handshakes_failed", what, value=self._failed)
