"""``antiphon memory prune``, ``restore`` and ``retention``."""

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon_server.cli.console import CommandError, aside, in_a_line, print_json, run, say
from antiphon_server.cli.memory.options import KindName, Where, Which, found, kind_of
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.written import refuse, scope_of

if TYPE_CHECKING:
    from antiphon.memory.v1.pruning_service_pb2 import PruneMemoriesResponse, PruningRule

_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_HEADINGS = ("memory", "why", "what")
OlderThan = Annotated[
    str,
    typer.Option(
        "--older-than", metavar="TIME", help="In use, and unchanged for so long: 90d, 12m, 2y."
    ),
]
Importance = Annotated[
    float,
    typer.Option("--importance", min=0, max=1, help="Of those what matters no more than that."),
]
Kinds = Annotated[
    list[KindName] | None, typer.Option("--kind", "-k", help="Of those only these; repeatable.")
]
Superseded = Annotated[
    str,
    typer.Option("--superseded", metavar="TIME", help="Others have had their place for so long."),
]


def prune(
    older_than: OlderThan = "",
    importance: Importance = 0.5,
    kind: Kinds = None,
    superseded: Superseded = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    scope: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Put away memories that nobody needs: they are shown first, and come back for 30 days.

    For example:

    - `antiphon memory prune --older-than 1y` (of what matters no more than usual)
    - `antiphon memory prune --superseded 90d --scope ws_…`
    - `antiphon memory prune --older-than 6m --importance 0.2 --kind note --yes`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict

        rule = _rule(older_than, importance, kind, superseded)
        async with client_for(address, data_dir) as client:
            where = await scope_of(client, scope)
            if not json:
                shown = await client.prune_memories(rule, where, validate_only=True)
                if not _showed(shown):
                    return
                question = f"Put these {len(shown.pruned)} away?"
                if not yes and not await asyncio.to_thread(typer.confirm, question, err=True):
                    return
            elif not yes:
                shown = await client.prune_memories(rule, where, validate_only=True)
                print_json({"pruned": [], **as_dict(shown)})
                return
            done = await client.prune_memories(rule, where)
        if json:
            print_json({"pruned": [], **as_dict(done)})
        else:
            more = "; there are more, for the next time" if done.more else ""
            aside(
                f"{len(done.pruned)} put away{more}. `antiphon memory restore mem_…` brings one"
                " back within 30 days."
            )

    run(work())


def _showed(shown: "PruneMemoriesResponse") -> bool:
    """Print what would be put away; whether there is anything."""
    from antiphon_server.cli.table import print_table

    if not shown.pruned:
        aside("Nothing fits: all of it is needed.")
        return False
    print_table(
        _HEADINGS, [(it.memory.memory_id, it.reason, it.memory.text) for it in shown.pruned]
    )
    return True


def restore(
    memory: Which,
    scope: Where = "",
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Bring back a memory that was put away: `antiphon memory list --past` has them.

    For example:

    - `antiphon memory restore mem_…`
    """

    async def work() -> None:
        from antiphon.memory.v1 import memory_pb2 as pb
        from antiphon_server.cli.connect import client_for

        async with client_for(address, data_dir) as client:
            before = await found(client, memory, scope)
            if before.state == pb.MEMORY_STATE_FORGOTTEN:
                raise CommandError(f"{in_a_line(memory)} is forgotten, which is for good")
            if before.state != pb.MEMORY_STATE_PRUNED:
                raise CommandError(f"{in_a_line(memory)} was not put away")
            back = await client.restore_memory(memory, before.scope)
        follower = f", superseded by {back.superseded_by}" if back.superseded_by else ""
        say(in_a_line(f"{back.memory_id} is back{follower}: {back.text}"))

    run(work())


def retention(
    older_than: OlderThan = "",
    importance: Importance = 0.5,
    kind: Kinds = None,
    superseded: Superseded = "",
    off: Annotated[bool, typer.Option("--off", help="Prune no more.")] = False,
    scope: Where = "",
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Show the rule by which memories are put away each day, or set one.

    For example:

    - `antiphon memory retention --scope ws_…` (which it is)
    - `antiphon memory retention --scope ws_… --older-than 2y --superseded 90d`
    - `antiphon memory retention --scope ws_… --off`
    """

    async def work() -> None:
        from antiphon_server.cli.connect import client_for
        from antiphon_server.cli.encoding import as_dict

        if off and (older_than or superseded):
            raise CommandError("--off takes the rule away: say either that, or a rule")
        async with client_for(address, data_dir) as client:
            where = await scope_of(client, scope)
            if off:
                kept = await client.set_retention(None, where)
            elif older_than or superseded:
                rule = _rule(older_than, importance, kind, superseded)
                kept = await client.set_retention(rule, where)
            else:
                kept = await client.get_retention(where)
        if json:
            print_json(as_dict(kept) if kept else {})
        elif kept is None:
            aside("No rule: nothing is put away by itself.")
        else:
            say(f"each day: {in_words(kept.rule)}")

    run(work())


def in_words(rule: "PruningRule") -> str:
    """What a rule puts away."""
    from antiphon.memory.v1.memory_pb2 import MemoryKind
    from antiphon_server.cli.kinds import name_of

    told = list[str]()
    if rule.HasField("older_than"):
        kinds = [f"{name_of(MemoryKind, 'MEMORY_KIND_', it)}s" for it in rule.kinds]
        what = ", ".join(kinds) or "what is in use"
        told.append(
            f"{what}, unchanged for {rule.older_than.ToTimedelta().days} days, of importance"
            f" {rule.max_importance:g} at most"
        )
    if rule.HasField("superseded_for"):
        told.append(f"what was superseded {rule.superseded_for.ToTimedelta().days} days ago")
    return "; ".join(told)


def _rule(
    older_than: str, importance: float, kinds: list[KindName] | None, superseded: str
) -> "PruningRule":
    from antiphon.memory.v1.pruning_service_pb2 import PruningRule

    if not older_than and not superseded:
        raise CommandError("say which: --older-than 1y, --superseded 90d, or both")
    rule = PruningRule(max_importance=importance, kinds=map(kind_of, kinds or ()))
    if older_than:
        rule.older_than.FromTimedelta(_span(older_than, "--older-than"))
    if superseded:
        rule.superseded_for.FromTimedelta(_span(superseded, "--superseded"))
    return rule


def _span(written: str, option: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,5})([dwmy])", written)
    if found is None:
        refuse(option, f"{in_a_line(written)} is no time; write 90d, 12w, 6m or 2y")
    return timedelta(days=int(found[1]) * _DAYS[found[2]])
