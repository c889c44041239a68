"""How soon a stream may be written to again.

A frame costs the same however many events it carries, so when many streams have
something at once, waiting a little makes batches and saves frames. While few are
busy nobody waits.
"""

import time

# What one loop on two shared cores writes with room for its other work. A cap of 50 ms
# asked for 10,000 frames a second at 500 streams, and latencies grew without end; of
# four settings tried in turn under 500 streams and 1,000 events a second this had the
# lowest 99th percentile.
FRAMES_PER_S = 4_000
MAX_DELAY_S = 0.125
MIN_DELAY_S = 0.003


class Pacing:
    """Spreads the frames that this process can write over the streams that want one."""

    def __init__(self) -> None:
        self._ready: set[object] = set()
        self._last: dict[object, float] = {}

    def ready(self, stream: object) -> None:
        """``stream`` has something to write."""
        self._ready.add(stream)

    def idle(self, stream: object) -> None:
        """``stream`` has nothing to write."""
        self._ready.discard(stream)

    def wrote(self, stream: object) -> None:
        """``stream`` was given a frame now."""
        self._last[stream] = time.monotonic()

    def forget(self, stream: object) -> None:
        """``stream`` is over."""
        self._ready.discard(stream)
        self._last.pop(stream, None)

    def delay(self, stream: object) -> float:
        """Seconds until ``stream`` should be written to."""
        interval = min(len(self._ready) / FRAMES_PER_S, MAX_DELAY_S)
        if interval < MIN_DELAY_S:
            return 0.0
        return max(self._last.get(stream, 0.0) + interval - time.monotonic(), 0.0)
