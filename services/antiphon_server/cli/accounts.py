"""What several commands about accounts share."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import CommandError

if TYPE_CHECKING:
    from antiphon.auth.v1.access_pb2 import Scope
    from antiphon_client import Client

SCOPES = ("read", "write", "manage", "account", "operate")

UserName = Annotated[
    str,
    typer.Option("--user", metavar="NAME", help="Another user's, by name; for operators."),
]


async def user_id_of(client: "Client", name: str) -> str:
    """The id of who is named, by name or id; empty for oneself. Raises CommandError."""
    from antiphon_client import NotFound, PermissionDenied

    if not name or name.startswith("user_"):
        return name
    try:
        return (await client.get_user(name)).user_id
    except NotFound:
        raise CommandError(
            f"there is no user {name!r}; `antiphon users list` shows who there is."
        ) from None
    except PermissionDenied:
        raise CommandError(
            "only operators know people by name: give a user_id, which `antiphon whoami` tells "
            "whoever it is."
        ) from None


class Names:
    """People's names, as far as the caller may know them; each is asked for once.

    Only operators ask for others': a refusal would stand in the audit trail.
    """

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._known: dict[str, str] = {}
        self._allowed = True

    async def of(self, user_id: str) -> str:
        """Somebody's name; "" if that can't be known."""
        from antiphon_client import NotFound, PermissionDenied

        if not self._known:
            me = (await self._client.who_am_i()).user
            self._known[me.user_id], self._allowed = me.name, me.operator
        if user_id not in self._known and self._allowed:
            try:
                self._known[user_id] = (await self._client.get_user(user_id)).name
            except NotFound:
                self._known[user_id] = ""
            except PermissionDenied:
                self._allowed = False
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

    names = (Scope.Name(scope).removeprefix("SCOPE_").lower() for scope in scopes)
    return ", ".join(names) or "all"


def when_and_where(time: str, address: str) -> str:
    """When something was used, and from where; of this machine the server knows the network."""
    where = "::1" if address == "::/64" else address
    return f"{time}, {where}" if where else time
