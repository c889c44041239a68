"""``antiphon routes try`` and ``explain``."""

from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import aside, fail, in_a_line, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.pairs import pairs_of, type_of
from antiphon_server.cli.routes.about import ROUTES
from antiphon_server.cli.rules.options import Where
from antiphon_server.cli.workers.options import asking_for, parent_of

if TYPE_CHECKING:
    from antiphon.dispatcher.v1.route_service_pb2 import TryRoutesResponse

_COUNTS = ("handler", "turns", "share")
_MOVED = ("turn", "was", "would be", "why", "conversation")


def try_rules(
    file: Annotated[str, ROUTES.file],
    turns: Annotated[
        int,
        typer.Option("--turns", min=1, max=1000, metavar="N", help="How many of the newest turns."),
    ] = 1000,
    workspace: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Say what rules would have done with the newest turns; nothing is changed.

    Counted is who would have got how many; listed are turns that would have gone elsewhere. Turns
    whose callers named a handler are left out.

    For example:

    - `antiphon routes try routes.toml`
    - `antiphon routes try routes.toml --workspace ws_… --turns 100`
    """
    run(_try(file, turns, workspace, json, address, data_dir))


def explain(
    conversation: Annotated[
        str, typer.Argument(metavar="CONVERSATION", help="Where it would be said: conv_…")
    ],
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help="What would be said.")] = "",
    turn: Annotated[
        str,
        typer.Option(
            "--turn", metavar="ID", help="Of a message that was said: who got it, and why."
        ),
    ] = "",
    type_name: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="What it is: `form.submitted`, `command`.")
    ] = "",
    metadata: Annotated[
        list[str] | None,
        typer.Option("--metadata", metavar="KEY=VALUE", help="What is said of it; repeatable."),
    ] = None,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Say who would get a message of yours in a conversation, and why; nothing is posted.

    Of a rule that chooses among experts it shows how likely the message is for each. With `--turn`
    it says what was decided of a message that was said, which the turn keeps.

    For example:

    - `antiphon routes explain conv_… "Where is my invoice?"`
    - `antiphon routes explain conv_… '{"item": 7}' --type form.submitted --metadata form=order`
    - `antiphon routes explain conv_… --turn turn_…` (`antiphon tail` shows which)
    """
    if bool(text) == bool(turn):
        fail("say what would be said, or which turn is meant: TEXT or --turn turn_…", 2)
    if turn and (type_name or metadata):
        fail("--type and --metadata say what a TEXT is; --turn has its own", 2)
    if turn:
        run(_told(conversation, turn, json, address, data_dir))
        return
    kind, said = type_of(type_name), pairs_of("--metadata", metadata or ())

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict
        from antiphon_server.cli.routes.words import told

        async with client_for(address, data_dir) as client:
            found = await client.explain_route(conversation, text, type=kind, metadata=said)
        if json:
            print_json(as_dict(found))
            return
        for line in told(found):
            say(in_a_line(line))

    run(work())


async def _told(
    conversation: str, turn_id: str, json: bool, address: str, data_dir: DataDir
) -> None:
    """Print what was decided of a turn."""
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.routes.words import told

    async with client_for(address, data_dir) as client:
        turn = await client.get_turn(conversation, turn_id)
    if json:
        print_json(as_dict(turn.route))
    elif turn.HasField("route"):
        for line in told(turn.route, past=True):
            say(in_a_line(line))
    else:
        say(in_a_line(f"{turn.handler} got it: its caller named it, or no routes stood then."))


async def _try(
    file: str, turns: int, workspace: str, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.routes.rules import RULES
    from antiphon_server.cli.routes.serving import unserved
    from antiphon_server.cli.rules.changing import warn
    from antiphon_server.cli.rules.file import read_rules
    from antiphon_server.cli.rules.refusals import setting

    rules = read_rules(RULES, file)
    async with client_for(address, data_dir) as client:
        with asking_for(workspace), setting(RULES, file, rules):
            found = await client.try_routes(parent_of(workspace), rules, max_turns=turns)
        marks = await unserved(client, parent_of(workspace), rules)
    if json:
        print_json(as_dict(found))
    elif found.tried:
        _print(found)
    else:
        say("No turns there were left to routes yet, so there is nothing to try.", err=True)
    warn(marks)


def _print(found: "TryRoutesResponse") -> None:
    from antiphon_server.cli.routes.words import scores, why
    from antiphon_server.cli.table import print_table

    most = sorted(found.counts.items(), key=lambda it: (-it[1], it[0]))
    print_table(_COUNTS, [(who, str(n), f"{n / found.tried:.0%}") for who, n in most])
    if found.moved:
        say("")
        rows = []
        for it in found.moved:
            decision = it.decision
            because = ": ".join(filter(None, (why(decision), scores(decision))))
            where = it.conversation_id
            rows.append((it.turn_id, it.handler, decision.handler, because, where))
        print_table(_MOVED, rows, whole=True)
    listed = len(found.moved)
    of_them = f", of which the newest {listed} are listed" if listed < found.moved_total else ""
    aside(f"{found.moved_total} of {found.tried} turns would have gone elsewhere{of_them}.")
