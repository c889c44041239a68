"""Errors -> sentences that say what to do."""

import os
import re
from math import ceil

from antiphon_client import AntiphonError, Unauthenticated, Unavailable, Untrusted
from antiphon_server.cli.explain_budgets import exceeded, price_unknown
from antiphon_server.cli.options import KEY_VARIABLE

_KEY_REFUSED = (
    f"the server does not accept the key in {KEY_VARIABLE}, which goes before any login; correct "
    f"it, or `unset {KEY_VARIABLE}`"
)
_SENTENCES = {
    "FILTER_UNAVAILABLE": (
        "the filter {filter} can't look at this now, and nothing passes that it has not looked at; "
        "try again later. An admin sees why by `antiphon filters screenings`"
    ),
    "THROTTLED": (
        "more came from here than is usual, so little is taken for a while; try again in {retry}. "
        "If that is a mistake, ask an admin, who sees why and can clear it (`antiphon flags`)"
    ),
    "CREDENTIALS_INVALID": "the server does not accept these credentials; try `antiphon login`",
    "SESSION_REVOKED": "the session was ended; sign in again with `antiphon login`",
    "SCOPE_MISSING": "this credential is limited and lacks the scope {scope}; use another one",
    "POLICY_UNAVAILABLE": "the policy engine does not answer, so nobody is let in; try again later",
    "TOO_MANY_ATTEMPTS": "too many failed logins; try again in {retry}",
    "IDENTITY_UNKNOWN": (
        "{provider} knows you, but you have no account here: ask the operator to link {subject} "
        "of {issuer} to one"
    ),
    "PROVIDER_UNAVAILABLE": (
        "the identity provider {provider} does not answer as it should; try again in {retry}, "
        "the server's log says more"
    ),
    "PROVIDER_REFUSES_CLIENT": (
        "the identity provider {provider} does not take this server for its client ({error}): "
        "nobody can sign in there until the server's operator has corrected client_id or "
        "client_secret_env (ANTIPHON_IDENTITY_PROVIDERS)"
    ),
    "PROVIDER_ANSWER_INVALID": (
        "what came from {provider} can't be trusted ({check}); begin again with "
        "`antiphon login --browser`"
    ),
    "USER_DISABLED": "the account is disabled; ask an operator",
    "LAST_OPERATOR": (
        "nobody would be left to administer this server; make somebody else an operator first: "
        "`antiphon users operator NAME`"
    ),
    "LAST_OWNER": (
        "{resource} would be left without an owner; make somebody else one first: "
        "`antiphon members set {resource} WHO --role owner`"
    ),
    "PASSWORD_BREACHED": (
        "attackers try this password first: it is in a list of breached ones; choose another"
    ),
    "LOGIN_EXPIRED": (
        "no such login waits: its code is mistyped or used, or older than 10 minutes; whoever "
        "wants to sign in has to begin again, with `antiphon login --device` or `--browser`"
    ),
    "LOGIN_DENIED": "the login was refused",
    "OVERLOADED": "the server has too much to do; try again in {retry}",
    "RATE_LIMITED": "that were too many calls in a short time; try again in {retry}",
    "DRAINING": "the server is stopping; try again in {retry}",
    "SERVICE_UNAVAILABLE": "the service {service} is away for the moment; try again in {retry}",
    "STORE_UNAVAILABLE": "the server can't write to its disk; `antiphon doctor` says more",
    "INTERNAL": "the server failed; its log says more about request {request_id}",
    "HANDLER_NOT_FOUND": "there is no handler {handler}; /handlers in `antiphon chat` lists them",
    "CONVERSATION_ARCHIVED": "the conversation is archived; begin another one",
    "WORKSPACE_ERASED": (
        "what was said in the workspace was erased; `antiphon workspaces create NAME` makes another"
    ),
    "WORKSPACE_PERSONAL": "it is somebody's own workspace: erase its conversations, or the person",
    "CONVERSATION_ERASED": "what was said in the conversation was erased; begin another one",
    "TURN_REJECTED": "the conversation takes one message at a time; wait for the answer",
    "TURN_LOST": "the server ended while it answered; what had come is kept. Ask again",
    "TURN_EXPIRED": "the answer took longer than its limit",
    "MODEL_NOT_FOUND": (
        "there is no model {model} that the server can ask: `antiphon models` lists those there "
        "are, `antiphon up --model NAME` and ANTIPHON_MODELS give it others"
    ),
    "MODEL_UNAVAILABLE": (
        "the model {model} is not available now; try again in {retry} or choose another one "
        "(`antiphon doctor` says if a key is missing)"
    ),
    "MODEL_TIMEOUT": "the model {model} took too long; try again or choose another one",
    "MODEL_PROTOCOL": "the model {model} broke off, or said what can't be understood; try again",
    "MODEL_REFUSED": (
        "the model {model} refused (HTTP {http_status}): check its name, its key, its quota and "
        "the question"
    ),
    "MODEL_PROMPT_TOO_LONG": (
        "this is too long for the model {model}: ask it less at once, begin another "
        "conversation, or choose a model that takes more"
    ),
    "ETAG_MISMATCH": "somebody has changed it meanwhile; look at it, and try again",
    "CURSOR_INVALID": "that cursor is not from this server's {scope}",
    "CURSOR_TRIMMED": "the events after the cursor are gone; go on from {earliest_cursor}",
    "EPOCH_CHANGED": "the history was rebuilt; begin again from {earliest_cursor}",
}


# What the client says of a certificate -> what to do.
_DISTRUST = {
    "the server's certificate has expired": ": its operator has to renew it",
    "the server's certificate is not valid yet": ": is the clock right, here and there?",
    "the server's certificate is of no authority that is trusted here": (
        "; if its operator has given you the authority's certificate, sign in with "
        "`antiphon login --ca FILE` or set ANTIPHON_CA"
    ),
    "the server's certificate is for another name": (
        "; write the address with the name that its operator has told you"
    ),
    "the server's port does not speak TLS": "; write the address without https://",
}


# How a limit that is reached ends -> what to do.
_LIMITS = {
    " turns a conversation": (
        "{} answers of this conversation are waited for; wait until some have ended, stop one "
        "with Ctrl-C, or begin another conversation"
    ),
    " turns a user": (
        "you wait for {} answers already; wait until some have ended, or stop one with Ctrl-C"
    ),
    " bytes a message": "that is too long: a message has at most {} bytes; send it in pieces",
    " bytes an answer": "the answer was cut off: one has at most {} bytes. Ask for less at once",
    "api_keys": "there are as many keys as one user may have; revoke one (`antiphon keys list`)",
    "identities": "there are as many identities as one user may have; unlink one first",
    " streams a user": (
        "you have {} streams open already; close other chats, pages or programs of yours"
    ),
}
_NEEDED = {
    "ANOTHER_PERSON": "somebody else has to do this: nobody decides on their own words",
    "OPERATE": "only operators may do this",
    "MANAGE": "only admins and owners may do this there (`antiphon members --help`)",
    "WRITE": "you may only read there; an admin or owner may give you a role that writes",
    "READ_MEMBERS": "guests are not told who the members are",
}
# The collections whose things people know by name -> what one is called, and who lists them.
_NAMED = {
    "users": ("user", "`antiphon users list` shows who there is"),
    "identity_providers": ("identity provider", "the server's operator knows their names"),
}
_LISTED = {
    "conversation": "; `antiphon conversations` lists yours",
    "workspace": "; `antiphon workspaces` lists yours",
    "session": "; `antiphon sessions list` shows yours",
    "key": "; `antiphon keys list` shows yours",
}
_THINGS = {
    ("connection.name", 32): "connection",
    ("name", 32): "connection",
    ("budget.name", 64): "budget",
    ("name", 64): "budget or secret",
}
_SMALL = re.compile(r"\^\(?\[a-z0-9\]\[a-z0-9_-\]\{0,(\d+)\}")
_PREFIX = re.compile(r"\^([a-z]+)_\[")


NO_NAME = "that is no name: write letters, digits and . _ @ - (at most 64)"
NO_HANDLER = "that is no handler: write small letters, digits and -, a letter first (at most 64)"


class _Variables(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return f"({key} unknown)"


def explain(error: AntiphonError, address: str = "") -> str:
    """One sentence: what is wrong, and what to do where that is known, at an address."""
    where = f" -a {address}" if address else ""
    return _explained(error).replace("`antiphon login", f"`antiphon login{where}")


def _explained(error: AntiphonError) -> str:
    """What is wrong; of a list of models of which none answers, with those before the last."""
    others = error.metadata.get("others", "")
    return f"{others} can't answer either: {_of_one(error)}" if others else _of_one(error)


def _of_one(error: AntiphonError) -> str:
    match error.reason:
        case "CREDENTIALS_INVALID" if os.environ.get(KEY_VARIABLE):
            return _KEY_REFUSED
        case "PERMISSION_DENIED":
            needed = error.metadata.get("permission", "")
            return _NEEDED.get(needed, f"you may not do this: it needs {needed}")
        case "NOT_FOUND":
            return _missing(error.metadata.get("resource", ""))
        case "ALREADY_EXISTS" if error.metadata.get("resource", "").startswith("budget "):
            return f"there is a {error.metadata['resource']} already"
        case "ALREADY_EXISTS":
            kind, _, name = error.metadata.get("resource", "").rpartition("/")
            return f"there is a {_NAMED.get(kind, (kind,))[0]} {name} already".replace("  ", " ")
        case "LIMIT_EXCEEDED":
            return _limit(error.metadata.get("limit", ""))
        case "TOOL_DENIED" if not error.metadata.get("why"):
            tool = error.metadata.get("tool", "")
            return (
                f"{tool} is never called, by the rule of this workspace; its admins may say "
                f"another one: `antiphon tools ask {tool}`"
            )
        case "MODEL_NOT_FOUND" if lacking := error.metadata.get("install"):
            return (
                f"the server can't run the model {error.metadata.get('model')}: install {lacking}"
            )
        case "BUDGET_EXCEEDED":
            return exceeded(error)
        case "PRICE_UNKNOWN":
            return price_unknown(error)
        case "MODEL_UNAVAILABLE" if error.metadata.get("breaker") == "BY_HAND":
            return (
                f"the model {error.metadata.get('model')} is not asked, since an operator said so; "
                "choose another one (`antiphon models`)"
            )
        case "MODEL_UNAVAILABLE" if error.metadata.get("breaker"):
            seconds = ceil(error.retry_after or 0)
            return (
                f"the model {error.metadata.get('model')} has failed too often, so it is not asked "
                f"for {seconds} s; try again then, or choose another one (`antiphon models`)"
            )
        case "CONNECTION_UNAVAILABLE" if error.metadata.get("breaker") == "BY_HAND":
            connection = error.metadata.get("connection")
            return (
                f"{connection} is not called, since an operator said so; operators have it called "
                f"again by `antiphon connections resume {connection}`"
            )
        case "CONNECTION_UNAVAILABLE" if error.metadata.get("breaker"):
            seconds = ceil(error.retry_after or 0)
            return (
                f"calls of {error.metadata.get('connection')} failed too often, so it is left "
                f"alone for {seconds} s; try again then (`antiphon connections` says how it is)"
            )
        case "PROVIDER_UNAVAILABLE" if error.metadata.get("breaker"):
            return (
                f"the identity provider {error.metadata.get('provider')} has failed too often, so "
                f"nobody is sent there for {ceil(error.retry_after or 0)} s; try again then, or "
                "sign in otherwise (`antiphon login --help`)"
            )
        case "OVERLOADED" if model := error.metadata.get("model"):
            return (
                f"the model {model} writes as many answers as it may at once "
                f"({error.metadata.get('calls')}); try again soon, or choose another one "
                "(`antiphon models`)"
            )
    sentence = _SENTENCES.get(error.reason)
    if sentence is not None:
        retry = f"{error.retry_after:.0f} s" if error.retry_after else "a moment"
        return sentence.format_map(_Variables({**error.metadata, "retry": retry}))
    if error.violations:
        return "; ".join(_broken(field, rule) for field, rule in error.violations.items())
    if isinstance(error, Untrusted):
        return f"{error.message}{_DISTRUST.get(error.message, '')}"
    if isinstance(error, Unavailable) and not error.reason:
        # gRPC tells the whole way to the cause; the cause stands at the end.
        cause = error.message.rpartition(": ")[2].rstrip("]")
        if cause == "OK":  # what gRPC says of a port that answers with something else
            return "the server can't be reached: does that port speak TLS (https://), or not?"
        return f"the server can't be reached ({cause}): is the address right, and does it run?"
    if isinstance(error, Unauthenticated):
        return "the server does not know you; sign in with `antiphon login`"
    return f"{error.message} ({error.reason or error.code.name})"


def _limit(limit: str) -> str:
    """What to do where a limit is reached, such as ``100 turns a conversation``."""
    for ending, sentence in _LIMITS.items():
        if limit.endswith(ending):
            return sentence.format(limit.removesuffix(ending))
    return f"the limit is reached: {limit} at most"


def _missing(resource: str) -> str:
    kind, _, name = resource.rpartition("/")
    if kind in _NAMED:
        called, who_knows = _NAMED[kind]
        return f"there is no {called} {name}; {who_knows}"
    listed = _LISTED["workspace"] if resource.startswith("ws_") else ""
    return f"there is no {resource}, or you have no access to it{listed}"


def _broken(field: str, rule: str) -> str:
    """A field and the rule that it breaks; patterns are for programs."""
    if field == "user_code":
        return "that is no code: one has eight letters, as BCDF-GHJK"
    if field in ("password", "new_password") and rule.startswith("must"):
        return f"the password {rule}"
    if field.endswith("parts") and "MiB" in rule:
        return "that is too long: a message has at most 1 MiB; send it in pieces"
    if "regex" not in rule:
        return f"{field}: {rule}"
    if field == "budget.subject":
        return (
            "that is no ID of whose calls count: write user_…, key_…, conv_… or ws_…, as --scope "
            "says"
        )
    if field.rpartition(".")[2] == "scope":
        return "that is no scope: write conv_…, ws_…, user_… or global, with the whole ID"
    if small := _SMALL.search(rule):
        most = int(small[1]) + 1
        thing = _THINGS.get((field, most), "secret or program")
        return (
            f"that is no name of a {thing}: write small letters, digits, _ and -, a letter or a "
            f"digit first (at most {most})"
        )
    if field == "name":
        return NO_NAME
    if field == "handler":
        return NO_HANDLER
    if field == "resource":
        return "that is no conversation's ID (conv_…) and no workspace's (ws_…)"
    if prefix := _PREFIX.search(rule):
        thing = field.rpartition(".")[2].removesuffix("_id")
        return f"that is no {thing}'s ID ({prefix[1]}_…){_LISTED.get(thing, '')}"
    return f"{field}: that is not how one is written"
