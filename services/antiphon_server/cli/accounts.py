"""What several commands about accounts share."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import CommandError
from antiphon_server.cli.kinds import name_of

if TYPE_CHECKING:
    from antiphon.auth.v1.access_pb2 import Scope
    from antiphon.auth.v1.auth_service_pb2 import WhoAmIResponse
    from antiphon_client import Client

SCOPES = ("read", "write", "manage", "account", "operate", "work")

UserName = Annotated[
    str,
    typer.Option("--user", metavar="NAME", help="Another user's, by name; for operators."),
]


async def user_id_of(client: "Client", name: str) -> str:
    """The id of who is named, by name or id; empty for oneself. Raises CommandError."""
    from antiphon_client import NotFound

    if not name or name.startswith("user_"):
        return name
    me = await client.who_am_i()
    if name.lower() == me.user.name:
        return me.user.user_id
    if not may_operate(me):
        raise CommandError(
            "only operators know people by name: give a user_id, which `antiphon whoami` tells "
            "whoever it is."
        )
    try:
        return (await client.get_user(name)).user_id
    except NotFound:
        raise CommandError(
            f"there is no user {name!r}; `antiphon users list` shows who there is."
        ) from None


def may_operate(me: "WhoAmIResponse") -> bool:
    """Whether the caller may know all people; who asks for more is recorded as refused."""
    from antiphon.auth.v1.access_pb2 import SCOPE_OPERATE

    scopes = me.session.scopes
    return me.user.operator and (not scopes or SCOPE_OPERATE in scopes)


class Names:
    """People's names, as far as the caller may know them; each is asked for once.

    Only operators ask for others': a refusal would stand in the audit trail.
    """

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._known: dict[str, str] = {}
        self._me: WhoAmIResponse | None = None

    async def of(self, user_id: str) -> str:
        """Somebody's name; "" if that can't be known."""
        from antiphon_client import NotFound

        if self._me is None:
            self._me = await self._client.who_am_i()
            self._known[self._me.user.user_id] = self._me.user.name
        if user_id not in self._known and may_operate(self._me):
            try:
                self._known[user_id] = (await self._client.get_user(user_id)).name
            except NotFound:
                self._known[user_id] = ""
        return self._known.get(user_id, "")


def scopes_named(names: str) -> "list[Scope.ValueType]":
    """Scopes by their names, separated by commas. Raises CommandError for unknown ones."""
    from antiphon.auth.v1.access_pb2 import Scope

    found = []
    for name in filter(None, (name.strip().lower() for name in names.split(","))):
        if name not in SCOPES:
            raise CommandError(f"there is no scope {name!r}; the scopes are {', '.join(SCOPES)}.")
        found.append(Scope.Value(f"SCOPE_{name.upper()}"))
    return found


def scope_names(scopes: "list[Scope.ValueType]") -> str:
    """Scopes as people read them."""
    from antiphon.auth.v1.access_pb2 import Scope

    names = (name_of(Scope, "SCOPE_", scope) for scope in scopes)
    return ", ".join(names) or "all"


def when_and_where(time: str, address: str) -> str:
    """When something was used, and from where; of this machine the server knows the network."""
    where = "::1" if address == "::/64" else address
    return f"{time}, {where}" if where else time
