"""The decision on access, in every combination, against the contract's sentences."""

import itertools
from dataclasses import replace

import pytest

from antiphon_server.runtime.access.permissions import (
    ROLES,
    SCOPES,
    Permission,
    Role,
    Rule,
    Scope,
    rule_for,
)
from antiphon_server.runtime.access.policy import (
    Decision,
    Held,
    Question,
    Verdict,
    decide,
    enforce,
    resource_with_roles,
)
from antiphon_server.runtime.access.principal import (
    ANONYMOUS,
    Grant,
    Principal,
    SessionId,
    UserId,
)
from antiphon_server.runtime.errors import DomainError

ANN = UserId("user_ann00000")
USER = Principal("user", ANN, SessionId("s"))
OPERATOR = Principal("user", ANN, SessionId("s"), operator=True)
SERVICE = Principal("service", UserId("x"), SessionId(""))
NAMELESS = Principal("user", UserId(""), SessionId(""))
GRANT = Principal(
    "grant", ANN, SessionId(""), grant=Grant("turn_00000001", "conv_00000001", "ws_00000001", 1)
)
CALLERS = (ANONYMOUS, USER, OPERATOR, SERVICE, NAMELESS)
WITH_ROLES = (
    "ws_00000001",
    "conv_00000001",
    "workspaces/ws_00000001",
    "conversations/conv_00000001",
)
OTHERS = (
    "",
    "global",
    f"users/{ANN}",
    "users/user_bob00000",
    "users/",
    "Global",
    "ws_short",
    "conversations/ws_00000001",
    "workspaces/conv_00000001",
    "conv_00000001\n",
    "conversations/conv_00000001/x",
    "turn_00000001",
    "\0",
)
MAY = {
    "READ": "GUEST VIEWER MEMBER ADMIN OWNER",
    "READ_MEMBERS": "VIEWER MEMBER ADMIN OWNER",
    "WRITE": "GUEST MEMBER ADMIN OWNER",
    "MANAGE": "ADMIN OWNER",
}


def expected(caller: Principal, name: str, resource: str, role: Role) -> Verdict:
    """The contract's sentences, one by one."""
    if name == "PUBLIC":
        return Verdict.ALLOWED
    if name == "UNSPECIFIED":
        return Verdict.DENIED
    if caller is ANONYMOUS:
        return Verdict.UNAUTHENTICATED
    if caller is SERVICE:
        return Verdict.ALLOWED
    if name in ("AUTHENTICATED", "OPERATE", "INTERNAL"):
        allowed = name == "AUTHENTICATED" or (name == "OPERATE" and caller is OPERATOR)
        return Verdict.ALLOWED if allowed else Verdict.DENIED
    if resource in WITH_ROLES:
        if role is Role.NONE:
            return Verdict.NOT_FOUND
        return Verdict.ALLOWED if role.name in MAY[name].split() else Verdict.DENIED
    if resource == "global":
        allowed = name in ("READ", "READ_MEMBERS") or caller is OPERATOR
        return Verdict.ALLOWED if allowed else Verdict.DENIED
    if resource == f"users/{ANN}" and caller.user_id == ANN:
        return Verdict.DENIED if name == "MANAGE" else Verdict.ALLOWED
    return Verdict.NOT_FOUND


def asked(caller: Principal, rule: Rule, resource: str, role: Role) -> Decision:
    """The decision about a caller who has that role there."""
    held = Held(role, resource) if role is not Role.NONE else Held()
    return decide(Question(caller, rule, resource, held))


def test_every_combination() -> None:
    """Callers x permissions x resources x roles: 5 x 9 x 17 x 6 decisions."""
    combinations = list(itertools.product(CALLERS, Permission, WITH_ROLES + OTHERS, Role))
    assert len(combinations) == 5 * 9 * 17 * 6
    for caller, permission, resource, role in combinations:
        verdict = asked(caller, rule_for(permission), resource, role).verdict
        wanted = expected(caller, permission.name, resource, role)
        assert verdict is wanted, (caller, permission, resource, role)


def test_a_limited_credential_needs_the_scope_and_its_owners_right() -> None:
    """What is allowed with scopes is what is allowed without, if the one scope was granted."""
    grants = [frozenset(some) for some in itertools.combinations(Scope, 2)] + [frozenset[Scope]()]
    for granted, permission, role, operator in itertools.product(
        grants, Permission, Role, (False, True)
    ):
        rule = rule_for(permission)
        limited = Principal("user", ANN, SessionId("s"), operator, scopes=granted)
        unlimited = OPERATOR if operator else USER
        whole = asked(unlimited, rule, "conv_00000001", role).allowed
        needs = SCOPES.get(permission)
        may = whole and (permission is Permission.PUBLIC or needs is None or needs in granted)
        assert asked(limited, rule, "conv_00000001", role).allowed == may


def test_an_operators_limited_credential_is_no_operators_on_the_global_scope() -> None:
    """SCOPE_WRITE lets nobody publish to everybody; that takes SCOPE_OPERATE as well."""
    rule = rule_for(Permission.WRITE)
    for scopes, verdict in (
        (frozenset({Scope.WRITE}), Verdict.DENIED),
        (frozenset({Scope.WRITE, Scope.OPERATE}), Verdict.ALLOWED),
    ):
        caller = Principal("user", ANN, SessionId("s"), True, scopes=scopes)
        assert asked(caller, rule, "global", Role.NONE).verdict is verdict


@pytest.mark.parametrize("resource", OTHERS)
def test_nothing_else_has_roles(resource: str) -> None:
    """Only a well-formed workspace or conversation is asked for."""
    assert resource_with_roles(resource) is None


def test_every_permission_on_a_resource_has_its_roles_and_its_scope() -> None:
    """A permission that was left out of a table would be one that nobody planned."""
    assert {permission.name for permission in ROLES} == set(MAY)
    assert set(SCOPES) == {*ROLES, Permission.OPERATE}


def test_a_decision_says_why() -> None:
    """What was needed, what was there, and what came of it, in the words of the contract."""
    rule = Rule(Permission.WRITE, scope=Scope.WRITE, method="/a.B/PostMessage")
    viewer = Held(Role.VIEWER, "ws_00000001")
    told = decide(Question(USER, rule, "conv_00000001", viewer)).sentences("ann")
    assert told == [
        "the credential has no limits",
        "PostMessage needs WRITE on conv_00000001; ann is VIEWER there through ws_00000001",
        "refused",
    ]
    limited = Principal("user", ANN, SessionId("s"), scopes=frozenset({Scope.READ, Scope.ACCOUNT}))
    assert decide(Question(limited, rule, "conv_00000001", viewer)).sentences() == [
        "PostMessage needs the scope WRITE; the credential was granted ACCOUNT, READ",
        "refused",
    ]


def test_every_refusal_is_typed() -> None:
    """A refusal carries the reason and the metadata that the contract names; no verdict is lost."""
    rule = rule_for(Permission.WRITE)
    seen = {}
    for verdict in Verdict:
        decision = Decision(verdict, Question(USER, rule, "conv_00000001"), ())
        try:
            enforce(decision)
        except DomainError as error:
            seen[verdict] = error.reason.value, error.metadata
    assert seen == {
        Verdict.UNAUTHENTICATED: ("UNAUTHENTICATED", {}),
        Verdict.SCOPE_MISSING: ("SCOPE_MISSING", {"scope": "WRITE"}),
        Verdict.NOT_FOUND: ("NOT_FOUND", {"resource": "conv_00000001"}),
        Verdict.DENIED: ("PERMISSION_DENIED", {"permission": "WRITE"}),
    }


OF_GRANT = ("conv_00000001", "conversations/conv_00000001", "ws_00000001")


@pytest.mark.parametrize("for_grants", [False, True])
def test_a_grant_opens_what_is_said_to_be_for_it_of_its_own(for_grants: bool) -> None:
    """Whatever roles anybody has, and whatever else its turn's user may.

    Permissions x resources x roles; a workspace's log is not among its own.
    """
    others = (*OTHERS, "conv_00000002", "conversations/conv_00000002", "ws_00000002")
    resources = (*WITH_ROLES, *others)
    for permission, resource, role in itertools.product(Permission, resources, Role):
        rule = Rule(permission, grant=for_grants)
        if permission is Permission.PUBLIC:
            wanted = Verdict.ALLOWED
        elif permission is Permission.UNSPECIFIED or not for_grants:
            wanted = Verdict.DENIED
        else:
            own = permission not in ROLES or resource in OF_GRANT
            wanted = Verdict.ALLOWED if own else Verdict.NOT_FOUND
        assert asked(GRANT, rule, resource, role).verdict is wanted, (permission, resource, role)


def test_a_grant_that_says_nothing_opens_nothing() -> None:
    """One of that kind without what it is for."""
    bare = Principal("grant", ANN, SessionId(""))
    rule = Rule(Permission.READ, grant=True)
    assert asked(bare, rule, "conv_00000001", Role.OWNER).verdict is Verdict.DENIED


def test_a_decision_on_a_grant_says_why() -> None:
    """Whose it is, what it opens, and what came of it."""
    rule = Rule(Permission.READ, method="/a.B/GetContext", grant=True)
    caller, its_own = "turns/turn_00000001", "conv_00000001"
    for about, resource, sentence, verdict in (
        (rule, its_own, f"and {its_own} is that of {caller}", "allowed"),
        (rule, "ws_00000002", f"and ws_00000002 is not that of {caller}", "refused"),
        (
            replace(rule, permission=Permission.AUTHENTICATED),
            "",
            f"and {caller} has one",
            "allowed",
        ),
        (replace(rule, grant=False), its_own, "is not for the grant of a turn", "refused"),
    ):
        told = asked(GRANT, about, resource, Role.NONE).sentences()
        assert told[0].startswith("GetContext ")
        assert told[0].endswith(sentence)
        assert told[1:] == [verdict]
