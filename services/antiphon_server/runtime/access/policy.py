"""The one function that decides who may do what: pure, total, refusing what it does not know."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from antiphon_server.runtime.access.permissions import ROLES, Permission, Role, Rule, Scope
from antiphon_server.runtime.access.principal import Principal
from antiphon_server.runtime.errors import DomainError, Reason, not_found

_WITH_ROLES = re.compile(
    r"(?:workspaces/)?(ws_[0-9A-Za-z_-]{8,64})|(?:conversations/)?(conv_[0-9A-Za-z_-]{8,64})"
)


@dataclass(frozen=True, slots=True)
class Held:
    """A caller's role on a resource, and the workspace or conversation it was given on."""

    role: Role = Role.NONE
    granted_on: str = ""


NO_ROLE = Held()


@dataclass(frozen=True, slots=True)
class Question:
    """May ``principal``, who holds that role there, do what ``rule`` declares to ``resource``?"""

    principal: Principal
    rule: Rule
    resource: str = ""
    held: Held = NO_ROLE


class Verdict(Enum):
    """What comes of a question."""

    ALLOWED = "allowed"
    UNAUTHENTICATED = "unauthenticated"
    SCOPE_MISSING = "scope missing"
    NOT_FOUND = "not found"
    DENIED = "denied"


class Step(Enum):
    """A reason, with the question's parts in {braces}."""

    PUBLIC = "{rpc} is open to everybody"
    UNDECLARED = "{rpc} declares no permission, so nobody may call it"
    NOBODY = "{rpc} needs a caller who has signed in"
    UNLIMITED = "the credential has no limits"
    ANY_SCOPE = "{rpc} will do with a credential of any scopes"
    SCOPE_GRANTED = "the credential was granted the scope {scope}"
    SCOPE_MISSING = "{rpc} needs the scope {scope}; the credential was granted {scopes}"
    SERVICE = "{caller} is a service of this installation"
    SIGNED_IN = "{rpc} needs no more than being signed in, and {caller} is"
    OPERATOR = "{rpc} needs an operator, and {caller} is one"
    NO_OPERATOR = "{rpc} needs an operator, and {caller} is none"
    INTERNAL = "{rpc} is for services of this installation alone"
    NO_ROLE = "{rpc} needs {permission} on {resource}; {caller} has no role there"
    ROLE = "{rpc} needs {permission} on {resource}; {caller} is {role} there through {granted_on}"
    OF_ALL = "{rpc} needs {permission} on {resource}, which every user may READ"
    OF_OPERATORS = "{rpc} needs {permission} on {resource}, where {caller} is an operator"
    NO_GRANT = "{rpc} is not for the grant of a turn"
    GRANTED = "{rpc} will do with the grant of a turn, and {caller} has one"
    OF_GRANT = "{rpc} will do with a grant, and {resource} is that of {caller}"
    NOT_OF_GRANT = "{rpc} will do with a grant, and {resource} is not that of {caller}"
    OWN = "{rpc} needs {permission} on {resource}, which {caller} may READ and WRITE as their own"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict and the steps that led to it; ``remarks`` come from the external engine."""

    verdict: Verdict
    question: Question
    steps: tuple[Step, ...]
    remarks: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the caller may."""
        return self.verdict is Verdict.ALLOWED

    def sentences(self, caller: str = "") -> list[str]:
        """The steps in order, the verdict last; ``caller`` is the caller's name in them."""
        parts = _parts(self.question, caller)
        told = [step.value.format_map(parts) for step in self.steps]
        return [*told, *self.remarks, "allowed" if self.allowed else "refused"]


def decide(question: Question) -> Decision:
    """Whether the caller may do that, and why."""
    permission, caller = question.rule.permission, question.principal
    if permission is Permission.PUBLIC:
        return Decision(Verdict.ALLOWED, question, (Step.PUBLIC,))
    if permission is Permission.UNSPECIFIED:
        return Decision(Verdict.DENIED, question, (Step.UNDECLARED,))
    if caller.kind == "anonymous":
        return Decision(Verdict.UNAUTHENTICATED, question, (Step.NOBODY,))
    if caller.kind == "grant":
        verdict, step = _by_grant(question)
        return Decision(verdict, question, (step,))
    limits = _limits(question)
    if limits is Step.SCOPE_MISSING:
        return Decision(Verdict.SCOPE_MISSING, question, (limits,))
    verdict, step = _by_permission(question)
    return Decision(verdict, question, (limits, step))


def _limits(question: Question) -> Step:
    granted, needed = question.principal.scopes, question.rule.scope
    if granted is None:
        return Step.UNLIMITED
    if needed is Scope.NONE:
        return Step.ANY_SCOPE
    return Step.SCOPE_GRANTED if needed in granted else Step.SCOPE_MISSING


def _by_grant(question: Question) -> tuple[Verdict, Step]:
    """A grant has no roles and no limits: it opens what is said to be for it, of its own alone."""
    rule, grant = question.rule, question.principal.grant
    if not rule.grant or grant is None:
        return Verdict.DENIED, Step.NO_GRANT
    if rule.permission not in ROLES:
        return Verdict.ALLOWED, Step.GRANTED
    # A scope is the conversation's alone: what a workspace's log says is not the turn's.
    conversation = grant.conversation_id
    its_own = (conversation, f"conversations/{conversation}", grant.workspace_id)
    if question.resource in its_own:
        return Verdict.ALLOWED, Step.OF_GRANT
    return Verdict.NOT_FOUND, Step.NOT_OF_GRANT


def _by_permission(question: Question) -> tuple[Verdict, Step]:
    permission, caller = question.rule.permission, question.principal
    if caller.kind == "service":
        return Verdict.ALLOWED, Step.SERVICE
    if permission in ROLES:
        return _by_role(question)
    if permission is Permission.AUTHENTICATED:
        return Verdict.ALLOWED, Step.SIGNED_IN
    if permission is Permission.OPERATE and caller.operator:
        return Verdict.ALLOWED, Step.OPERATOR
    is_operate = permission is Permission.OPERATE
    return Verdict.DENIED, Step.NO_OPERATOR if is_operate else Step.INTERNAL


def _by_role(question: Question) -> tuple[Verdict, Step]:
    role, step = _role_on(question)
    if role is Role.NONE:
        return Verdict.NOT_FOUND, step
    allowed = role in ROLES[question.rule.permission]
    return Verdict.ALLOWED if allowed else Verdict.DENIED, step


def _role_on(question: Question) -> tuple[Role, Step]:
    """What the caller is there: by the role they hold, or by what everybody is."""
    resource, caller = question.resource, question.principal
    if resource_with_roles(resource) is not None:
        role = question.held.role
        return role, Step.NO_ROLE if role is Role.NONE else Step.ROLE
    if resource == "global":
        operates = caller.operates
        return (Role.OWNER, Step.OF_OPERATORS) if operates else (Role.VIEWER, Step.OF_ALL)
    if caller.user_id and resource == f"users/{caller.user_id}":
        return Role.MEMBER, Step.OWN
    return Role.NONE, Step.NO_ROLE


def resource_with_roles(resource: str) -> str | None:
    """The workspace or conversation that a resource or scope is about; None for neither."""
    match = _WITH_ROLES.fullmatch(resource)
    return (match[1] or match[2]) if match else None


def enforce(decision: Decision) -> None:
    """Return if the policy allows it, otherwise raise DomainError with the reason."""
    question = decision.question
    match decision.verdict:
        case Verdict.ALLOWED:
            return
        case Verdict.UNAUTHENTICATED:
            raise DomainError(Reason.UNAUTHENTICATED)
        case Verdict.SCOPE_MISSING:
            raise DomainError(Reason.SCOPE_MISSING, scope=question.rule.scope.name)
        case Verdict.NOT_FOUND:
            raise not_found(question.resource)
        case Verdict.DENIED:
            name = question.rule.permission.name
            raise DomainError(Reason.PERMISSION_DENIED, permission=name)
        case _:
            assert_never(decision.verdict)


def _parts(question: Question, caller: str) -> dict[str, str]:
    rule, held, scopes = question.rule, question.held, question.principal.scopes or ()
    return {
        "caller": caller or _name_of(question.principal),
        "rpc": rule.method.rpartition("/")[2] or "the call",
        "permission": rule.permission.name,
        "scope": rule.scope.name,
        "scopes": ", ".join(sorted(scope.name for scope in scopes)) or "none",
        "resource": question.resource or "a resource that was not named",
        "role": held.role.name,
        "granted_on": held.granted_on,
    }


def _name_of(caller: Principal) -> str:
    return caller.actor if caller.grant else caller.user_id
