"""How a connection is, in a word, and what to do where it is down."""

from math import ceil

from antiphon.integration.v1.connection_pb2 import (
    CONNECTION_CAUSE_HTTP_STATUS,
    CONNECTION_CAUSE_UNSPECIFIED,
    Connection,
    ConnectionCause,
    ConnectionState,
    ConnectionStatus,
    Credential,
)
from antiphon.integration.v1.model_pb2 import BREAKER_STATE_HALF_OPEN, BREAKER_STATE_OPEN
from antiphon_server.cli.console import aside, in_a_line, print_json, say
from antiphon_server.cli.encoding import as_dict, local_time
from antiphon_server.cli.kinds import name_of
from antiphon_server.runtime.errors import Reason
from antiphon_server.runtime.errors.causes import cause_in_words
from antiphon_server.runtime.errors.codes import sentence_of

_NO_DESCRIPTORS = (
    "Its server does not tell what it has: it has no server reflection, or refuses it. Delete the "
    "connection, and add it with `--descriptors FILE`, made by `protoc --include_imports "
    "--descriptor_set_out=FILE …` or `buf build -o FILE`."
)


def tell(it: Connection, json: bool) -> None:
    """Print how it is, and advice beside."""
    if json:
        print_json(as_dict(it))
    else:
        say(f"{in_a_line(it.name)} is {state_of(it.status)}, {it.status.tools} tools")
    if advice := advice_of(it):
        aside(advice)


def state_of(status: ConnectionStatus) -> str:
    """The state, with the cause or the reason: ``down (REFUSED)``; and whether it is called."""
    state, why = _state(status)
    if status.breaker_by_hand:
        is_how = ": ".join(filter(None, (state, why)))
        return f"paused by an operator ({is_how}) since {local_time(status.breaker_since_time)}"
    told = f"{state} ({why})" if why else state
    return ", ".join(filter(None, (told, left_alone(status))))


def left_alone(status: ConnectionStatus) -> str:
    """What is said of one by which calls are not made as they come; empty for the others."""
    if status.breaker_by_hand:
        return "paused by an operator"
    if status.breaker == BREAKER_STATE_OPEN:
        return f"left alone for {ceil(status.retry_after.ToTimedelta().total_seconds())} s"
    if status.breaker == BREAKER_STATE_HALF_OPEN:
        return "left alone, but for one call"
    return ""


def _state(status: ConnectionStatus) -> tuple[str, str]:
    """The state, and its cause or reason where there is one."""
    state = name_of(ConnectionState, "CONNECTION_STATE_", status.state)
    if status.error_cause == CONNECTION_CAUSE_HTTP_STATUS:
        return state, f"HTTP {in_a_line(status.error_metadata['http_status'])}"
    return state, _cause(status) or in_a_line(status.error_reason)


def advice_of(it: Connection) -> str:
    """Why it is not as it should be, and what to do; empty where that is not known."""
    name, reason, said = in_a_line(it.name), it.status.error_reason, it.status.error_metadata
    if it.status.breaker_by_hand:
        return f"An operator has it called again by `antiphon connections resume {name}`."
    if cause := _cause(it.status):
        return _sentence(cause_in_words(cause, said.get("http_status", "")))
    match reason:
        case "AUTHORIZATION_REQUIRED":
            return f"An admin consents by `antiphon connections authorize {name}`."
        case "DESCRIPTORS_REQUIRED":
            return _NO_DESCRIPTORS
        case "NOT_FOUND" if it.HasField("credential"):
            secret = in_a_line(_secret(it.credential))
            return (
                f"The workspace has no secret {secret}, or none that opens here. Store it with "
                f"`antiphon secrets put {secret}`; the next call is signed with it."
            )
        case "INVALID_ARGUMENT" if said.get("why"):
            return f"What it says of itself can't be used: it has to be {in_a_line(said['why'])}."
        case _ if left_alone(it.status):
            why = cause_in_words(reason) if reason else "the server's log says how"
            return _sentence(f"its calls failed too often ({why}); it is tried again by itself")
        case _ if said and reason in Reason.__members__:
            return in_a_line(sentence_of(Reason(reason), said))
    return ""


def _cause(status: ConnectionStatus) -> str:
    cause = status.error_cause
    if (
        cause == CONNECTION_CAUSE_UNSPECIFIED or cause not in ConnectionCause.values()
    ):  # a newer one
        return ""
    return ConnectionCause.Name(cause).removeprefix("CONNECTION_CAUSE_")


def _sentence(words: str) -> str:
    said = in_a_line(words)
    return f"{said[:1].upper()}{said[1:]}{'' if said.endswith('?') else '.'}"


def _secret(it: Credential) -> str:
    """The name of the secret that a credential sends."""
    return it.bearer or it.header.secret or it.basic.secret or it.oauth.client_secret
