"""What a key opens that is limited to the scope WORK."""

from antiphon_server.installation import all_methods
from antiphon_server.runtime.access.permissions import ROLES, Permission, Role, Scope
from antiphon_server.runtime.access.policy import Held, Question, decide
from antiphon_server.runtime.access.principal import Principal, SessionId, UserId
from antiphon_server.runtime.access.rules import rule_of

WORKSPACE = "ws_00000001"
WORKER = Principal(
    "user", UserId("user_00000001"), SessionId("s"), True, scopes=frozenset({Scope.WORK})
)
OWN = {"AccessService/ListAccess", "AuthService/Logout", "AuthService/WhoAmI"}
"""What every key opens: whose it is, what there is to be allowed, and the end of its session."""


def _opens(method: str, worker: Principal) -> bool:
    """Whether it does to one who owns everything and is an operator."""
    rule = rule_of(method)
    if rule.permission is Permission.PUBLIC:
        return False
    resource = WORKSPACE if rule.permission in ROLES else ""
    return decide(Question(worker, rule, resource, Held(Role.OWNER, WORKSPACE))).allowed


STREAMS = {"WorkerService/Work", "WorkerService/OpenWork", "WorkerService/UpdateWork"}


def test_it_opens_the_workers_streams_and_nothing_else() -> None:
    """Whatever its owner may."""
    opened = {it.rpartition(".")[2] for it in all_methods() if _opens(it, WORKER)}
    assert opened == STREAMS | OWN


def test_no_other_scope_opens_the_workers_streams() -> None:
    """All of them together neither."""
    works = [it for it in all_methods() if it.rpartition(".")[2] in STREAMS]
    others = frozenset(set(Scope) - {Scope.WORK})
    limited = Principal("user", WORKER.user_id, WORKER.session_id, True, scopes=others)
    assert len(works) == len(STREAMS)
    assert not any(_opens(it, limited) for it in works)
