"""Every row of the table, in its order."""

from tests.proofs.bench.row import Row
from tests.proofs.bench.rows.access import access
from tests.proofs.bench.rows.budgets import budgets
from tests.proofs.bench.rows.cold_start import cold_start
from tests.proofs.bench.rows.cpu import cpu
from tests.proofs.bench.rows.curves import clients, conversations, history
from tests.proofs.bench.rows.delivery import delivery
from tests.proofs.bench.rows.edge import edge
from tests.proofs.bench.rows.fan_out import fan_out
from tests.proofs.bench.rows.filters import filters
from tests.proofs.bench.rows.first_contact import first_contact
from tests.proofs.bench.rows.first_token import first_token
from tests.proofs.bench.rows.growth import growth
from tests.proofs.bench.rows.grpc_calls import tool_grpc
from tests.proofs.bench.rows.hop import hop
from tests.proofs.bench.rows.idle_memory import idle_memory
from tests.proofs.bench.rows.layers import layers
from tests.proofs.bench.rows.names import names
from tests.proofs.bench.rows.posts import posts
from tests.proofs.bench.rows.replicas import replicas
from tests.proofs.bench.rows.rest import tool_rest
from tests.proofs.bench.rows.resume import resume
from tests.proofs.bench.rows.routes import routes
from tests.proofs.bench.rows.search import search, searches
from tests.proofs.bench.rows.tools import tool_mcp
from tests.proofs.bench.rows.turns import turns
from tests.proofs.bench.rows.workers import workers

ROWS = (
    Row("turns", "turns a second and processor time per turn, 50 clients", turns),
    Row("first-token", "from a post to the answer's first text", first_token),
    Row("first-contact", "a new conversation and a new stream for each turn", first_contact),
    Row("cpu", "processor time per 1,000 deltas", cpu),
    Row("fan-out", "events a second to 500 subscribers of one scope", fan_out),
    Row("delivery", "from a post to its delivery on another stream", delivery),
    Row("posts", "durable posts a second, 50 clients", posts),
    Row("idle-memory", "memory of each further idle stream", idle_memory),
    Row("cold-start", "from the start of the process to SERVING", cold_start),
    Row("resume", "events a second to one who comes back to a long log", resume),
    Row("growth", "a walk through ten times the data", growth),
    Row("clients", "turns with 1 to 500 clients (a curve)", clients),
    Row("history", "steps in conversations of up to 1,000,000 messages (a curve)", history),
    Row("conversations", "steps of a user of up to 100,000 conversations (a curve)", conversations),
    Row("layers", "processor time that each interceptor adds to a call", layers),
    Row("access", "processor time of authentication and access together, and queries", access),
    Row("budgets", "what budgets add to a call's entry in the ledger", budgets),
    Row("workers", "what it costs that a worker works on a turn, on one server and two", workers),
    Row("routes", "what rules that find handlers add to a turn's processor time", routes),
    Row("filters", "how long all built-in filters take for a message of 8 KB", filters),
    Row("search", "a search among 100,000 messages; how soon a post is found; memory", search),
    Row("searches", "a search among 1,000 to 1,000,000 messages (a curve)", searches),
    Row("hop", "calls, posts and turns with the log in another process", hop),
    Row("tool-mcp", "a call of a tool beside the bare call: MCP, HTTP and stdio", tool_mcp),
    Row("tool-rest", "the same of a service over HTTP; a document of 1,000 operations", tool_rest),
    Row("tool-grpc", "the same of a gRPC server", tool_grpc),
    Row("names", "a list of 100 members with names, the accounts in another process", names),
    Row("edge", "calls, deliveries and fan-out through Envoy, beside directly", edge),
    Row("replicas", "posts, fan-out and turns with 1, 2 and 4 servers on one Postgres", replicas),
)
