"""Every row of the table, in its order."""

from tests.bench.row import Row
from tests.bench.rows.cold_start import cold_start
from tests.bench.rows.cpu import cpu
from tests.bench.rows.curves import clients, conversations, history
from tests.bench.rows.delivery import delivery
from tests.bench.rows.fan_out import fan_out
from tests.bench.rows.first_token import first_token
from tests.bench.rows.growth import growth
from tests.bench.rows.idle_memory import idle_memory
from tests.bench.rows.layers import layers
from tests.bench.rows.posts import posts
from tests.bench.rows.resume import resume
from tests.bench.rows.turns import turns

ROWS = (
    Row("turns", turns),
    Row("first-token", first_token),
    Row("cpu", cpu),
    Row("fan-out", fan_out),
    Row("delivery", delivery),
    Row("posts", posts),
    Row("idle-memory", idle_memory),
    Row("cold-start", cold_start),
    Row("resume", resume),
    Row("growth", growth),
    Row("clients", clients),
    Row("history", history),
    Row("conversations", conversations),
    Row("layers", layers),
)
