"""The table of errors: each reason's gRPC code and public sentence.

The codes are those in the comments of ``antiphon/errors/v1/error_reason.proto``;
a test holds table, reasons and contract equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from grpc import StatusCode

from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.errors.causes import cause_in_words


@dataclass(frozen=True, slots=True)
class Entry:
    """A reason's gRPC code and its public sentence with {metadata} in it."""

    code: StatusCode
    sentence: str


_UNAVAILABLE = StatusCode.UNAVAILABLE
_NOT_FOUND = StatusCode.NOT_FOUND
_UNAUTHENTICATED = StatusCode.UNAUTHENTICATED
_EXHAUSTED = StatusCode.RESOURCE_EXHAUSTED
_PRECONDITION = StatusCode.FAILED_PRECONDITION
_INVALID = StatusCode.INVALID_ARGUMENT

TABLE: dict[Reason, Entry] = {
    Reason.INTERNAL: Entry(
        StatusCode.INTERNAL, "The server made a mistake; quote request id {request_id}."
    ),
    Reason.INVALID_ARGUMENT: Entry(_INVALID, "The request breaks a rule of the contract."),
    Reason.UNIMPLEMENTED: Entry(StatusCode.UNIMPLEMENTED, "The server has no such method."),
    Reason.DEADLINE_EXCEEDED: Entry(
        StatusCode.DEADLINE_EXCEEDED, "The deadline passed before the work was done."
    ),
    Reason.OVERLOADED: Entry(_EXHAUSTED, "Too much work waits for {resource}; try again later."),
    Reason.DRAINING: Entry(_UNAVAILABLE, "The server is about to stop; connect again."),
    Reason.STORE_UNAVAILABLE: Entry(
        _UNAVAILABLE, "The store can't be used now; nothing was stored."
    ),
    Reason.NOT_FOUND: Entry(_NOT_FOUND, "{resource} was not found."),
    Reason.ALREADY_EXISTS: Entry(StatusCode.ALREADY_EXISTS, "{resource} exists already."),
    Reason.REQUEST_ID_REUSED: Entry(
        StatusCode.ALREADY_EXISTS, "Request id {request_id} was used with another body."
    ),
    Reason.PAGE_TOKEN_INVALID: Entry(_INVALID, "The page token was not issued for this list."),
    Reason.ETAG_MISMATCH: Entry(
        StatusCode.ABORTED, "{resource} changed since it was read; read it again."
    ),
    Reason.SERVICE_UNAVAILABLE: Entry(
        _UNAVAILABLE, "A part of this installation, {service}, can't be reached now; try again."
    ),
    Reason.UNAUTHENTICATED: Entry(_UNAUTHENTICATED, "The call has no usable credentials."),
    Reason.TOKEN_INVALID: Entry(_UNAUTHENTICATED, "The access token is not valid here."),
    Reason.TOKEN_EXPIRED: Entry(_UNAUTHENTICATED, "The access token has expired; refresh it."),
    Reason.SESSION_REVOKED: Entry(_UNAUTHENTICATED, "The session was ended; log in again."),
    Reason.CREDENTIALS_INVALID: Entry(_UNAUTHENTICATED, "The credentials are wrong."),
    Reason.PERMISSION_DENIED: Entry(
        StatusCode.PERMISSION_DENIED, "The caller lacks the permission {permission}."
    ),
    Reason.TOO_MANY_ATTEMPTS: Entry(_EXHAUSTED, "Too many failed attempts; try again later."),
    Reason.LOGIN_EXPIRED: Entry(
        _PRECONDITION, "That login is over, or was never begun; begin again."
    ),
    Reason.AUTHORIZATION_PENDING: Entry(
        _PRECONDITION, "Nobody has decided about this device yet; ask again later."
    ),
    Reason.SLOW_DOWN: Entry(_EXHAUSTED, "Asked too often; wait 5 s longer between two calls."),
    Reason.LOGIN_DENIED: Entry(StatusCode.PERMISSION_DENIED, "The login was refused."),
    Reason.IDENTITY_UNKNOWN: Entry(
        StatusCode.PERMISSION_DENIED,
        "No account here belongs to {subject} of {issuer}; an operator can link it.",
    ),
    Reason.PROVIDER_UNAVAILABLE: Entry(
        StatusCode.UNAVAILABLE, "The identity provider {provider} does not answer as it should."
    ),
    Reason.PASSWORD_BREACHED: Entry(
        _INVALID, "This password is among those that attackers try first; choose another."
    ),
    Reason.USER_DISABLED: Entry(
        StatusCode.PERMISSION_DENIED, "The account is disabled; ask an operator."
    ),
    Reason.LAST_OPERATOR: Entry(
        _PRECONDITION, "This would leave the installation without an operator."
    ),
    Reason.PROVIDER_ANSWER_INVALID: Entry(
        _UNAUTHENTICATED,
        "What {provider} is said to have answered fails a check: {check}.",
    ),
    Reason.RATE_LIMITED: Entry(
        _EXHAUSTED, "More {limit} than one {scope} may have in a minute; try again later."
    ),
    Reason.SCOPE_MISSING: Entry(
        StatusCode.PERMISSION_DENIED, "The credential was not granted the scope {scope}."
    ),
    Reason.POLICY_UNAVAILABLE: Entry(
        _UNAVAILABLE, "Who may do this can't be decided now; try again later."
    ),
    Reason.PROVIDER_REFUSES_CLIENT: Entry(
        _PRECONDITION,
        "The identity provider {provider} does not take this server for its client: {error}.",
    ),
    Reason.CURSOR_INVALID: Entry(_INVALID, "The cursor was not issued for {scope}."),
    Reason.CURSOR_TRIMMED: Entry(
        StatusCode.OUT_OF_RANGE,
        "The events of {scope} after the cursor are gone; the earliest is {earliest_offset}.",
    ),
    Reason.EPOCH_CHANGED: Entry(
        StatusCode.OUT_OF_RANGE, "The history of {scope} was rebuilt; start at {earliest_offset}."
    ),
    Reason.FENCED: Entry(StatusCode.ABORTED, "A newer attempt writes {fence_key}; stop."),
    Reason.WATCH_EXISTS: Entry(
        StatusCode.ALREADY_EXISTS, "The stream has a watch {watch_id} already."
    ),
    Reason.LIMIT_EXCEEDED: Entry(_EXHAUSTED, "The limit {limit} is reached."),
    Reason.CONVERSATION_ARCHIVED: Entry(
        _PRECONDITION, "Conversation {conversation_id} is archived and accepts nothing new."
    ),
    Reason.LAST_OWNER: Entry(_PRECONDITION, "{resource} would be left without an owner."),
    Reason.HANDLER_NOT_FOUND: Entry(_NOT_FOUND, "No handler {handler} is registered."),
    Reason.TURN_REJECTED: Entry(
        _PRECONDITION, "Turn {running_turn_id} still runs, and the policy is to reject."
    ),
    Reason.TURN_LOST: Entry(
        StatusCode.ABORTED, "The node that ran the turn died; what was delivered is kept."
    ),
    Reason.TURN_EXPIRED: Entry(
        StatusCode.DEADLINE_EXCEEDED, "The turn reached its time limit of {limit_ms} ms."
    ),
    Reason.HANDLER_FAILED: Entry(StatusCode.ABORTED, "{handler} failed: {why}"),
    Reason.HANDLER_UNAVAILABLE: Entry(
        _UNAVAILABLE, "No worker that serves {handler} is there now; try again later."
    ),
    Reason.TURN_NOT_HELD: Entry(
        _PRECONDITION, "The turn {turn_id} is not this worker's, or not any more."
    ),
    Reason.HANDLER_NOT_ALLOWED: Entry(
        StatusCode.PERMISSION_DENIED,
        "Workers of this user may not serve {handler}; `antiphon workers allow` lets them.",
    ),
    Reason.HANDOFF_CLAIMED: Entry(_PRECONDITION, "{claimed_by} is at the hand-off {handoff_id}."),
    Reason.HANDOFF_ENDED: Entry(
        _PRECONDITION, "The hand-off {handoff_id} waits for people no more: {end}."
    ),
    Reason.HANDOFF_EXPIRED: Entry(
        StatusCode.DEADLINE_EXCEEDED,
        "The turn waited for people, and none went on with it in time.",
    ),
    Reason.HANDOFF_DECLINED: Entry(
        StatusCode.ABORTED, "The turn waited for people, and they declined it. {why}"
    ),
    Reason.HANDOFF_IMPOSSIBLE: Entry(
        _PRECONDITION, "The turn {turn_id} can't be handed off: {why}."
    ),
    Reason.PART_NOT_ACCEPTED: Entry(_PRECONDITION, "Model {model} takes no {kind}."),
    Reason.MODEL_NOT_FOUND: Entry(_NOT_FOUND, "No model {model} is configured."),
    Reason.MODEL_UNAVAILABLE: Entry(_UNAVAILABLE, "Model {model} can't be reached."),
    Reason.MODEL_TIMEOUT: Entry(
        StatusCode.DEADLINE_EXCEEDED,
        "Model {model} was silent, or spoke, for more than {timeout_ms} ms.",
    ),
    Reason.MODEL_PROTOCOL: Entry(
        _UNAVAILABLE, "The answer of model {model} broke off or could not be understood."
    ),
    Reason.MODEL_REFUSED: Entry(
        _PRECONDITION, "The provider of model {model} refused the request ({http_status})."
    ),
    Reason.MODEL_PROMPT_TOO_LONG: Entry(
        _PRECONDITION, "What was asked is longer than model {model} can read."
    ),
    Reason.BUDGET_EXCEEDED: Entry(
        _EXHAUSTED, "The budget {budget} has too little left for what this call may take."
    ),
    Reason.PRICE_UNKNOWN: Entry(
        _PRECONDITION,
        "The budget {budget} counts {currency}, and what {target} costs in it is not known: set "
        "its price, or other targets for the budget.",
    ),
    Reason.TOOL_NOT_FOUND: Entry(_NOT_FOUND, "There is no tool {tool}."),
    Reason.TOOL_HELD: Entry(
        _PRECONDITION,
        "Tool {tool} waits for an admin's approval: it has changed, or a filter says so.",
    ),
    Reason.TOOL_DENIED: Entry(StatusCode.PERMISSION_DENIED, "The call of tool {tool} was denied."),
    Reason.TOOL_ARGUMENTS_INVALID: Entry(
        _INVALID, "The arguments of tool {tool} are wrong at {path}: {rule}."
    ),
    Reason.TOOL_TIMEOUT: Entry(
        StatusCode.DEADLINE_EXCEEDED, "Tool {tool} did not answer within {timeout_ms} ms."
    ),
    Reason.TOOL_FAILED: Entry(_UNAVAILABLE, "Tool {tool} failed: {why}."),
    Reason.TOOL_CALL_CHANGED: Entry(
        StatusCode.ABORTED,
        "The call {tool_call_id} has other arguments than those that were decided about.",
    ),
    Reason.TOOL_CALL_ENDED: Entry(
        _PRECONDITION, "The call {tool_call_id} waits for no decision any more."
    ),
    Reason.TOOL_CALL_LOST: Entry(
        StatusCode.ABORTED,
        "The answer of tool {tool} was lost; whether it did something is not known.",
    ),
    Reason.TOOL_CHANGED: Entry(
        StatusCode.ABORTED, "Tool {tool} is not what was shown; look at it once more."
    ),
    Reason.CONNECTION_UNAVAILABLE: Entry(
        _UNAVAILABLE,
        "Connection {connection} can't be used now: it is {state}. "
        "`antiphon connections test {connection}` says how it is.",
    ),
    Reason.EGRESS_DENIED: Entry(
        StatusCode.PERMISSION_DENIED, "Calls to {host} are not allowed: {why}."
    ),
    Reason.AUTHORIZATION_REQUIRED: Entry(
        _PRECONDITION,
        "Connection {connection} needs a person's consent: an admin runs "
        "`antiphon connections authorize {connection}`.",
    ),
    Reason.AUTHORIZATION_FAILED: Entry(
        _PRECONDITION, "Connection {connection} was not authorized: {why}."
    ),
    Reason.DESCRIPTORS_REQUIRED: Entry(
        _PRECONDITION,
        "The server of connection {connection} does not tell what it has (it has no server "
        "reflection, or refuses it): give its descriptor set.",
    ),
    Reason.CONNECTION_NEWER: Entry(
        StatusCode.UNIMPLEMENTED,
        "Connection {connection} is newer than this server, which does not know its kind; upgrade "
        "the server.",
    ),
    Reason.FORWARD_UNSUPPORTED: Entry(
        StatusCode.UNIMPLEMENTED, "Connection {connection} takes no such request; use {instead}."
    ),
    Reason.CONTENT_BLOCKED: Entry(
        _PRECONDITION,
        "Filter {filter} refuses this ({categories}), and nothing of it is stored.",
    ),
    Reason.FILTER_UNAVAILABLE: Entry(
        StatusCode.UNAVAILABLE, "Filter {filter} can't look at this now; try again later."
    ),
    Reason.WEBHOOK_DISABLED: Entry(
        StatusCode.FAILED_PRECONDITION,
        "Webhook {webhook_id} is disabled; `antiphon webhooks update --enable` lets it go on.",
    ),
    Reason.MEMORY_SOURCE_INVALID: Entry(
        _PRECONDITION,
        "Message {message_id} in {conversation_id} is no source that you may name ({why}).",
    ),
    Reason.MEMORY_NOT_ACTIVE: Entry(
        _PRECONDITION,
        "{memory_id} is superseded or forgotten: `antiphon memory show` says by what.",
    ),
    Reason.CONVERSATION_ERASED: Entry(
        _PRECONDITION, "What was said in {conversation_id} was erased; it takes nothing new."
    ),
    Reason.WORKSPACE_ERASED: Entry(
        _PRECONDITION, "What was said in {workspace_id} was erased; it takes nothing new."
    ),
    Reason.WORKSPACE_PERSONAL: Entry(
        _PRECONDITION,
        "{workspace_id} is somebody's own: erase its conversations, or the person.",
    ),
    Reason.THROTTLED: Entry(
        _EXHAUSTED,
        "What comes from here was flagged, so little is taken for a while; try again later.",
    ),
    Reason.EXTERNAL_MEMORY_UNSET: Entry(
        _PRECONDITION,
        "The server's settings name no memory of others {connection} (ANTIPHON_EXTERNAL_MEMORY).",
    ),
    Reason.TURN_NOT_ENDED: Entry(
        StatusCode.FAILED_PRECONDITION,
        "Turn {turn_id} has not ended, and what it says can't be erased yet; cancel it, or wait.",
    ),
    Reason.ENTITY_NOT_ACTIVE: Entry(
        _PRECONDITION,
        "{entity_id} is merged or deleted: `antiphon memory entities show` says into what.",
    ),
}


_GONE_SOON = (
    "One without workers is gone after 30 s, once its turns have ended: stop workers of older ones."
)
_ONE_DEPLOYMENT = (
    "Give workers that serve the same thing one deployment, whatever their version; one that has "
    "neither workers nor turns nor a rollout is gone after 30 s."
)
_ADVICE = {
    " turns a user": "Let some end or cancel some, or have an operator raise turns in "
    "ANTIPHON_SHARES.",
    " streams a user": "Close some or follow more scopes on one, or have an operator raise streams "
    "in ANTIPHON_SHARES.",
    " turns a conversation": "Let some end or cancel some.",
    " watches a stream": "End some, or open another stream.",
    " workers a user": "Stop some, or have one work on more turns at once, by more slots.",
    " versions a deployment": _GONE_SOON,
    " versions an installation": _GONE_SOON,
    " deployments a parent": _ONE_DEPLOYMENT,
    " deployments an installation": _ONE_DEPLOYMENT,
}
"""What to do at limits that people reach, by how they are named."""


_LEFT_ALONE = (
    "Connection {connection} has failed too often, so it is not called for a while.",
    "Connection {connection} is not called, since an operator said so.",
)
"""Why a connection's breaker is open: by itself, or by hand."""

_AMOUNTS = " Of {limit} {unit}, {spent} are spent and {reserved} reserved; it may take {needed}."
"""How much of a budget there is, as far as the caller may know it."""


class _Variables(dict[str, str]):
    """Metadata in which a missing variable reads as a dash."""

    def __missing__(self, key: str) -> str:
        return "-"


def sentence_of(reason: Reason, metadata: Mapping[str, str]) -> str:
    """The public sentence of an error."""
    sentence = TABLE[reason].sentence.format_map(_Variables(metadata))
    if reason is Reason.LIMIT_EXCEEDED:
        limit = metadata.get("limit", "")
        sentence += "".join(f" {it}" for named, it in _ADVICE.items() if limit.endswith(named))
    if reason is Reason.BUDGET_EXCEEDED and "limit" in metadata:
        sentence += _AMOUNTS.format_map(_Variables(metadata))
    if reason is Reason.CONNECTION_UNAVAILABLE and (breaker := metadata.get("breaker")):
        sentence = _LEFT_ALONE[breaker == "BY_HAND"].format_map(_Variables(metadata))
    if reason is Reason.CONNECTION_UNAVAILABLE and (cause := metadata.get("cause")):
        sentence += f" Why: {cause_in_words(cause, metadata.get('http_status', ''))}"
    return sentence
