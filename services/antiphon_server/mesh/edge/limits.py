"""The figures of the edge: each one once, and why it is that.

Where no reason is given it is that of Envoy's guide for edges
(configuration/best_practices/edge).
"""

from antiphon_server.runtime.rpc.limits import Limits

SERVER = Limits()
KIB, MIB = 1 << 10, 1 << 20

BUFFER_BYTES = 32 * KIB
STREAM_WINDOW_BYTES = 64 * KIB
CONNECTION_WINDOW_BYTES = 1 * MIB
STREAMS_PER_CONNECTION = 100
# As many as a server takes; what is more would be refused there.
HEADERS_KIB = SERVER.metadata_bytes // KIB
HEADERS_COUNT = 100
CONNECTIONS = SERVER.connections
HEAP_BYTES = 512 * MIB
# The slowest unary call that there is: a model's first answer is no unary call.
UNARY_S = 60.0
HEADERS_TIMEOUT_S = 10.0
HANDSHAKE_S = SERVER.handshake_s
CONNECTION_IDLE_S = SERVER.idle_s
# A peer that is gone without a word is found out in 80 s.
PING_S, PING_TIMEOUT_S = SERVER.keepalive_s, SERVER.keepalive_timeout_s
CONNECT_S = 2.0
# So that one connection that sends a thousand requests at once delays nobody else's.
REQUESTS_PER_TURN = 1
# A connection whose streams are mostly reset within a second is closed at the 500th
# (CVE-2023-44487).
RESET_STREAMS, RESET_WITHIN_S = 500, 1
# A service that does not answer two checks is left out.
CHECK_S, CHECK_TIMEOUT_S = 1.0, 1.0
# So is one that can't be reached three times in a row, for so long.
FAILURES, EJECTED_S, EJECTED_LONGEST_S = 3, 2.0, 10.0
# More retries would make a bad moment worse; a few are always allowed.
RETRIES_PERCENT, RETRIES_ANYWAY = 20.0, 10
RETRIES = 2
# Addresses whose calls are counted each by itself: those that called last.
ADDRESSES = 10_000
UNLIMITED = 1_000_000
# A token that ended within a day is for the server to refuse, which says why.
EXPIRED_S = 86_400
# A new key is known for two seconds before it signs. Envoy asks five seconds before it has to
# (kRefetchBeforeExpiredSec), so every second; with less it would ask without a pause.
KEYS_S, KEYS_AGAIN_S = 6.0, 0.5
TRACED_PERCENT = 1.0
