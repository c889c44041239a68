"""``antiphon budgets``."""

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from antiphon_server.cli.console import aside, fail, in_a_line, print_json, say
from antiphon_server.cli.money import limit_of
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.own_server import run_at
from antiphon_server.cli.which_workspace import Where, workspace_of

if TYPE_CHECKING:
    from antiphon.integration.v1.budget_pb2 import Budget, BudgetLimit
    from antiphon_client.client import Client

_ABOUT = """Limit what calls of models and tools may take: money, tokens or calls.

Before a call the most that it can take is reserved in every budget that holds for it. One that
does not fit is not made. What a call leaves is free again when it ends.

For example:

- `antiphon budgets`
- `antiphon budgets put team --limit "50 USD" --per month`
- `antiphon budgets put fair --limit "200000 tokens" --per day --scope user`
- `antiphon budgets put build --limit "2 USD" --per day --scope key --for key_…`
- `antiphon budgets delete team`
"""
app = typer.Typer(
    help=_ABOUT, no_args_is_help=False, invoke_without_command=True, rich_markup_mode="markdown"
)
_SCOPES = {"key": "api_key"}
"""What people call otherwise here than the contract does."""
Name = Annotated[str, typer.Argument(metavar="NAME", help="What it is called.")]
Installation = Annotated[
    bool,
    typer.Option("--installation", help="Of all workspaces together, for operators."),
]
Scope = Literal["installation", "workspace", "user", "key", "conversation", "turn"]
Per = Literal["minute", "hour", "day", "month", "once"]


@app.callback()
def budgets(
    context: typer.Context,
    workspace: Where = "",
    installation: Installation = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """See the help of the group."""
    if context.invoked_subcommand is None:
        run_at(address, data_dir, lambda at: _list(workspace, installation, json, at, data_dir))


@app.command("list")
def list_budgets(
    workspace: Where = "",
    installation: Installation = False,
    json: Json = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """List a workspace's budgets, and what is spent and reserved of each in its present window.

    Of those that each user has by themselves, yours comes first, then those who have used most.

    For example:

    - `antiphon budgets list`
    """
    run_at(address, data_dir, lambda at: _list(workspace, installation, json, at, data_dir))


@app.command()
def put(
    name: Name,
    limit: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", help='"5 USD", "100000 tokens" or "500 calls".'),
    ] = None,
    per: Annotated[
        Per | None,
        typer.Option(help="How long it counts before it begins anew; a new one, a month."),
    ] = None,
    scope: Annotated[
        Scope | None,
        typer.Option(
            help="Whose calls are counted together; of a new one the workspace's, or all."
        ),
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option("--for", metavar="ID", help='That one alone; "" for each of the scope.'),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A model or tool, `openai/*`, or `*` for all. Repeatable."
        ),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Where days and months begin; of a new one, UTC."),
    ] = None,
    next_model: Annotated[
        bool | None,
        typer.Option(
            "--next-model/--refuse", help="What does not fit is asked of the next model listed."
        ),
    ] = None,
    warn: Annotated[
        int | None,
        typer.Option(metavar="PERCENT", min=1, max=100, help="Tell when so much is used."),
    ] = None,
    workspace: Where = "",
    installation: Installation = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Make a budget, or change of the one of that name what is said, and nothing else.

    With another limit, --warn or --next-model it goes on; where something else is changed, counting
    begins anew.

    For example:

    - `antiphon budgets put team --limit "50 USD" --per month --time-zone Europe/Berlin`
    - `antiphon budgets put fair --limit "200000 tokens" --per day --scope user`
    - `antiphon budgets put build --limit "2 USD" --per day --scope key --for key_…`
    - `antiphon budgets put dear --limit "20 calls" --per hour --target "openai/o*" --next-model`
    """
    said = Said(
        limit=None if limit is None else limit_of(limit),
        per=per,
        scope=scope,
        subject=subject,
        targets=target,
        time_zone=time_zone,
        next_model=next_model,
        warn=warn,
    )
    run_at(address, data_dir, lambda at: _put(name, said, workspace, installation, at, data_dir))


@app.command()
def delete(
    name: Name,
    workspace: Where = "",
    installation: Installation = False,
    address: Address = "",
    data_dir: DataDir = None,
) -> None:
    """Remove a budget: it limits nothing more.

    For example:

    - `antiphon budgets delete team`
    """
    run_at(address, data_dir, lambda at: _delete(name, workspace, installation, at, data_dir))


@dataclass(frozen=True, kw_only=True)
class Said:
    """What somebody wants of a budget; None leaves it as it is."""

    limit: "BudgetLimit | None"
    per: Per | None
    scope: Scope | None
    subject: str | None
    targets: list[str] | None
    time_zone: str | None
    next_model: bool | None
    warn: int | None

    def of(self, before: "Budget") -> "Budget":
        """The budget as it shall be. A subject is one of its scope: with another it is gone."""
        from antiphon.integration.v1 import budget_pb2 as pb

        budget = pb.Budget()
        budget.CopyFrom(before)
        if self.limit is not None:
            budget.limit.CopyFrom(self.limit)
        if self.per is not None:
            budget.window = pb.BudgetWindow.Value(f"BUDGET_WINDOW_{self.per.upper()}")
        if self.scope is not None:
            scope = _SCOPES.get(self.scope, self.scope)
            budget.scope = pb.BudgetScope.Value(f"BUDGET_SCOPE_{scope.upper()}")
        if self.subject is not None or budget.scope != before.scope:
            budget.subject = self.subject or ""
        if self.targets is not None:
            budget.targets[:] = [] if "*" in self.targets else self.targets
        if self.time_zone is not None:
            budget.time_zone = self.time_zone
        if self.next_model is not None:
            next_model, refuse = pb.WHEN_EXCEEDED_NEXT_MODEL, pb.WHEN_EXCEEDED_REFUSE
            budget.when_exceeded = next_model if self.next_model else refuse
        if self.warn is not None:
            budget.warn_percent = self.warn
        return budget


async def _parent(client: "Client", workspace: str, installation: bool) -> str:
    from antiphon_client.budgets import INSTALLATION

    return INSTALLATION if installation else await workspace_of(client, workspace)


async def _list(
    workspace: str, installation: bool, json: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.budget_rows import HEADINGS, put_first, rows_of
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.table import print_table

    rows: list[tuple[str, ...]] = []
    async with client_for(address, data_dir) as client:
        parent = await _parent(client, workspace, installation)
        me = (await client.who_am_i()).user.user_id
        own = {it.budget.name: it.states[0] async for it in client.list_budgets(parent, me)}
        async for it in client.list_budgets(parent):
            put_first(own.get(it.budget.name), it)
            if json:
                print_json(as_dict(it))
            else:
                rows += rows_of(it, parent, me)
    if rows:
        print_table(HEADINGS, rows)
    elif not json:
        put = '`antiphon budgets put NAME --limit "5 USD" --per day`'
        say(f"There are none, so nothing is limited. {put} makes one.", err=True)


async def _put(
    name: str, said: Said, workspace: str, installation: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.budget_doubts import doubts, wrong_subject
    from antiphon_server.cli.budget_rows import limited, whom
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        parent = await _parent(client, workspace, installation)
        before = await _found(client, parent, name)
        if before is None and said.limit is None:
            fail(f'there is no budget {name} yet: say its limit, as --limit "5 USD"', 2)
        wanted = said.of(before or _new(name, installation))
        if wrong := wrong_subject(wanted):
            fail(f"--for: {wrong}", 2)
        kept = await client.put_budget(parent, wanted, must_be_new=before is None)
        aside(in_a_line(f"{kept.name} allows {limited(kept)}, to {whom(kept, parent)}."))
        if before is not None and kept.count_start_time != before.count_start_time:
            aside("It counts otherwise than before, so counting begins anew: nothing is spent yet.")
        for doubt in doubts(kept, [it async for it in client.list_models()]):
            aside(in_a_line(f"But {doubt}."))


async def _found(client: "Client", parent: str, name: str) -> "Budget | None":
    async with aclosing(client.list_budgets(parent)) as uses:
        async for it in uses:
            if it.budget.name == name:
                return it.budget
    return None


def _new(name: str, installation: bool) -> "Budget":
    """What a new one is in what is not said of it."""
    from antiphon.integration.v1 import budget_pb2 as pb

    all_of_them = pb.BUDGET_SCOPE_INSTALLATION if installation else pb.BUDGET_SCOPE_WORKSPACE
    return pb.Budget(name=name, scope=all_of_them, window=pb.BUDGET_WINDOW_MONTH)


async def _delete(
    name: str, workspace: str, installation: bool, address: str, data_dir: DataDir
) -> None:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir) as client:
        parent = await _parent(client, workspace, installation)
        there = await _found(client, parent, name) is not None
        await client.delete_budget(parent, name)
    aside(in_a_line(f"{name} is removed." if there else f"There was none named {name}."))
