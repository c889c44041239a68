"""docs/access.md: the contracts' declarations, and what everybody is answered."""

from antiphon.auth.v1.access_pb2 import Permission, Scope
from antiphon_server.runtime.access.rules import rule_of
from tests.access.reading import IDENTITIES, YES, answers
from tests.access.rpcs import NOT_SERVED, served_rpcs, short_name
from tests.e2e.contracts import Rpc
from tests.repository.files import ROOT

DOCUMENT = ROOT / "docs" / "access.md"
_MARKS = {
    YES: "yes",
    "UNAUTHENTICATED": "who?",
    "TOKEN_EXPIRED": "expired",
    "SESSION_REVOKED": "ended",
    "NOT_FOUND": "hidden",
    "PERMISSION_DENIED": "no",
    "SCOPE_MISSING": "scope",
}
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def rendered() -> str:
    """The document with its table as it must be; the text around is written by hand."""
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    return f"{before}{BEGIN}\n{_table()}{END}{rest.partition(END)[2]}"


def _table() -> str:
    who = [f"- **{name}**: {meaning}" for name, meaning in IDENTITIES.items()]
    head = ["RPC", "permission", "scope", "on", *IDENTITIES]
    rows = [_row(rpc) for rpc in sorted(served_rpcs(), key=lambda rpc: rpc.path)]
    lines = [head, ["---"] * len(head), *rows]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    others = "\n".join(f"- `{name}`" for name in NOT_SERVED)
    end = f"\nNot served, but called where an engine, a mesh, or others' are set:\n\n{others}\n"
    return "\n".join(who) + "\n\n" + table + "\n" + end


def _row(rpc: Rpc) -> list[str]:
    rule = rule_of(rpc.path)
    permission = Permission.Name(Permission.ValueType(rule.permission.value))
    has_none = permission in ("PERMISSION_PUBLIC", "PERMISSION_INTERNAL")
    scope = "" if has_none else Scope.Name(Scope.ValueType(rule.scope.value)).lower()
    answered = answers(short_name(rpc))
    return [
        short_name(rpc),
        permission.removeprefix("PERMISSION_"),
        scope.removeprefix("scope_"),
        ".".join(rule.resource_path),
        *(_MARKS[answered[who]] for who in IDENTITIES),
    ]
