"""``antiphon profile``."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from antiphon_server.cli.console import CommandError, aside, fail, in_a_line, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json

if TYPE_CHECKING:
    from antiphon.auth.v1.profile_pb2 import Profile
    from antiphon_client import AntiphonError, Client

_ABOUT = """What you want to be known by: your language, your time zone, your name, what you like.

Models are told of it in your own turns, so that they know what day it is where you are; times in
schedules that you make are those of your zone. What you set for a workspace holds there instead
of what you set everywhere. Operators set anybody's, by --user.

For example:

- `antiphon profile set zone Europe/Berlin`
- `antiphon profile set language de`
- `antiphon profile set name Anna`
- `antiphon profile set likes "short answers" "metric units"`
- `antiphon profile set field team=blue`
- `antiphon profile show`
"""
app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")


class What(StrEnum):
    """What can be set, as people call it."""

    ZONE = "zone"
    LANGUAGE = "language"
    NAME = "name"
    LIKES = "likes"
    FIELD = "field"


_FIELDS = {
    What.ZONE: "time_zone",
    What.LANGUAGE: "locale",
    What.NAME: "call_name",
    What.LIKES: "preferences",
    What.FIELD: "fields",
}
_NOTHING: dict[What, Any] = {What.LIKES: (), What.FIELD: {}}
Workspace = Annotated[
    str,
    typer.Option(
        "--workspace",
        "-w",
        metavar="ID",
        help="What holds in this workspace: ws_…; else everywhere.",
    ),
]
Whose = Annotated[
    str, typer.Option("--user", "-u", metavar="NAME", help="Somebody else's; for operators.")
]


@app.command()
def show(
    workspace: Workspace = "",
    user: Whose = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Show what holds: with --workspace what is set there, else everywhere.

    For example:

    - `antiphon profile show`
    - `antiphon profile show --workspace ws_…`
    """
    run(_show(workspace, user, json, address, data_dir))


@app.command("set")
def set_(
    what: Annotated[What, typer.Argument(help="What to set.")],
    values: Annotated[
        list[str],
        typer.Argument(
            metavar="VALUE...",
            help="What it shall be. Of `likes` each a line, instead of those before. Of `field`"
            " each KEY=VALUE; others stay, and `KEY=` takes one away.",
        ),
    ],
    workspace: Workspace = "",
    user: Whose = "",
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Set something.

    For example:

    - `antiphon profile set zone Europe/Berlin`
    - `antiphon profile set language pt-BR`
    - `antiphon profile set likes "short answers"`
    - `antiphon profile set field team=blue site=Porto`
    - `antiphon profile set name "Dr. Costa" --workspace ws_…`
    """
    run(_set(what, values, workspace, user, address, data_dir))


@app.command()
def clear(
    what: Annotated[What | None, typer.Argument(help="What to take away; else all of it.")] = None,
    everywhere: Annotated[
        bool, typer.Option("--all", help="What is set in any workspace, too.")
    ] = False,
    workspace: Workspace = "",
    user: Whose = "",
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Don't ask before all of it goes.")
    ] = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Take something away, or all of it.

    What is set for workspaces stays, unless --all is said, or --workspace names one.

    For example:

    - `antiphon profile clear likes`
    - `antiphon profile clear --workspace ws_…`
    - `antiphon profile clear --all --yes`
    """
    if everywhere and (what is not None or workspace):
        fail("--all takes away all of it: name nothing else", 2)
    if what is None and not yes:
        typer.confirm(_question(everywhere, workspace), abort=True, err=True)
    run(_clear(what, everywhere, workspace, user, address, data_dir))


async def _show(workspace: str, user: str, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict

    async with client_for(address, data_dir) as client:
        found = await client.get_profile(workspace, user_id=await _id_of(client, user))
    if json:
        print_json(as_dict(found))
        return
    rows = _rows(found.effective)
    for what, value in rows:
        say(f"{what:<10}{value}")
    if not rows:
        aside("Nothing is set: `antiphon profile set --help` says what can be.")


async def _set(
    what: What, values: list[str], workspace: str, user: str, address: str, data_dir: DataDir
) -> None:
    from antiphon_client import AntiphonError
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        whose, etag, wish = await _id_of(client, user), "", _wish(what, values)
        if what is What.FIELD:
            before = (await client.get_profile(workspace, user_id=whose)).profile
            fields = {**before.fields, **wish}
            etag, wish = before.etag, {key: value for key, value in fields.items() if value}
        given: dict[str, Any] = {_FIELDS[what]: wish}
        try:
            it = await client.update_profile(workspace, etag=etag, user_id=whose, **given)
        except AntiphonError as error:
            raise _refused(error, what) from None
    said = _shown(getattr(it, _FIELDS[what]))
    say(f"{what} is {said}" if said else f"{what} is not set any more")


async def _clear(
    what: What | None,
    everywhere: bool,
    workspace: str,
    user: str,
    address: str,
    data_dir: DataDir,
) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        whose = await _id_of(client, user)
        if what is None:
            await client.delete_profile(workspace, all=everywhere, user_id=whose)
        else:
            given: dict[str, Any] = {_FIELDS[what]: _NOTHING.get(what, "")}
            await client.update_profile(workspace, user_id=whose, **given)
    say(f"{what or 'The profile'} is not set any more")
    if what is None and not everywhere and not workspace:
        aside("What is set for workspaces stays: --workspace or --all takes it away.")


def _question(everywhere: bool, workspace: str) -> str:
    """Whether all of a profile is meant to go, and what of it."""
    if everywhere:
        return "Take away all of the profile, in every workspace, too?"
    if workspace:
        return f"Take away all of the profile for {in_a_line(workspace)}?"
    return "Take away all of the profile? What is set for workspaces stays."


async def _id_of(client: "Client", user: str) -> str:
    """The user_id of who is named; "" for the caller."""
    if not user or user.startswith("user_"):
        return user
    return (await client.get_user(user)).user_id


def _wish(what: What, values: list[str]) -> Any:
    """What it shall be, of what was typed."""
    if what is What.LIKES:
        return values
    if what is not What.FIELD:
        return " ".join(values)
    pairs = dict[str, str]()
    for typed in values:
        key, between, value = typed.partition("=")
        if not between:
            fail(f"{in_a_line(typed)} is no KEY=VALUE", 2)
        pairs[key] = value
    return pairs


def _rows(it: "Profile") -> list[tuple[str, str]]:
    rows = [(str(what), _shown(getattr(it, name))) for what, name in _FIELDS.items()]
    return [(what, value) for what, value in rows if value]


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return in_a_line(value)
    said = [f"{key}={value[key]}" for key in sorted(value)] if hasattr(value, "keys") else value
    return in_a_line("; ".join(said))


def _refused(error: "AntiphonError", what: What) -> Exception:
    """What to write instead."""
    if error.reason == "ETAG_MISMATCH":
        return CommandError("the profile was changed meanwhile: try again")
    if error.reason != "INVALID_ARGUMENT" or {"workspace_id", "user_id"} & set(error.violations):
        return error
    told = {
        What.ZONE: "a zone is a name of the IANA's database, such as Europe/Berlin",
        What.LANGUAGE: "a language is a tag of BCP 47, such as de or pt-BR",
        What.NAME: "a name has at most 64 characters",
        What.LIKES: "there are at most 16 lines, each of 200 characters",
        What.FIELD: "a field is called like team or cost.centre, and says 256 bytes; 32 at most",
    }
    return CommandError(told[what])
