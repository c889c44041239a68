"""``antiphon models``."""

from typing import Annotated

import typer

from antiphon_server.cli.console import fail, in_a_line, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.weights import fetch

_HEADINGS = (
    *("MODEL", "STATE", "TAKES", "CONTEXT"),
    *("A MILLION TOKENS, IN AND OUT", "LAST FAILURE"),
)
app = typer.Typer()
app.command()(fetch)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Which, as `antiphon models` shows it.")]


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context, json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """List the models that the server can ask, the default first: what they take, cost, and how
    they are.

    For example:

    - `antiphon models`
    - `antiphon models get openai/gpt-4.1-mini` (all that is known of it, each price)
    - `antiphon chat --model openai/gpt-4.1-mini` (asks one of them)
    - `antiphon models open openai/gpt-4.1-mini` (has it asked no more)
    - `antiphon models fetch` (gets the weights of the small model)
    """
    if context.invoked_subcommand is None:
        run(_list(json, address, data_dir))


@app.command()
def get(name: Name, json: Json = False, address: Address = "", data_dir: DataDir = None) -> None:
    """Show what is known of a model: how it is, what it takes, and what each kind of tokens costs.

    For example:

    - `antiphon models get openai/gpt-4.1-mini`
    """
    run(_get(name, json, address, data_dir))


@app.command("open")
def open_breaker(
    name: Name, json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """Have a model asked no more, on every server, until `antiphon models close`; for operators.

    It opens the model's breaker: the next model of a list is asked at once, and where there is
    none people are told so.

    For example:

    - `antiphon models open openai/gpt-4.1-mini`
    """
    run(_switch(name, "OPEN", json, address, data_dir))


@app.command("close")
def close_breaker(
    name: Name, json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """Have a model asked again at once, on every server; for operators.

    It closes the model's breaker, whoever opened it. When the model fails too often it is left
    alone anew.

    For example:

    - `antiphon models close openai/gpt-4.1-mini`
    """
    run(_switch(name, "CLOSED", json, address, data_dir))


async def _list(json: bool, address: Address, data_dir: DataDir) -> None:
    from antiphon_server.cli import model_states as states
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.model_prices import in_short
    from antiphon_server.cli.table import print_table

    rows = []
    async with client_for(address, data_dir) as client:
        async for model in client.list_models():
            if json:
                print_json(as_dict(model))
                continue
            told = (states.state_of, states.takes, states.context_of, in_short)
            rows.append((model.name, *(it(model) for it in told), states.last_failure(model)))
    if not json:
        print_table(_HEADINGS, rows, whole=True)


async def _get(name: str, json: bool, address: Address, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.model_prices import price_rows
    from antiphon_server.cli.model_states import facts
    from antiphon_server.cli.table import print_table

    async with client_for(address, data_dir) as client:
        models = [it async for it in client.list_models() if it.name == name]
    if not models:
        fail(f"there is no model {in_a_line(name)}: `antiphon models` lists those there are")
    (model,) = models
    if json:
        print_json(as_dict(model))
        return
    headings, *rows = facts(model)
    print_table(headings, rows, whole=True)
    if model.prices:
        kinds, *prices = price_rows(model)
        say("")
        print_table(kinds, prices, whole=True)


async def _switch(name: str, state: str, json: bool, address: Address, data_dir: DataDir) -> None:
    from antiphon.integration.v1.model_pb2 import BreakerState
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.model_states import left_alone

    async with client_for(address, data_dir) as client:
        wanted = BreakerState.Value(f"BREAKER_STATE_{state}")
        model = await client.set_model_breaker(name, wanted)
    if json:
        print_json(as_dict(model))
    else:
        say(f"{in_a_line(model.name)} {left_alone(model) or 'is asked again'}")
