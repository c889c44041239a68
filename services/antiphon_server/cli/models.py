"""``antiphon models``."""

from math import ceil
from typing import TYPE_CHECKING

import typer

from antiphon_server.cli.console import print_json, run
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.weights import fetch

if TYPE_CHECKING:
    from antiphon.integration.v1.model_pb2 import Model

_HEADINGS = ("MODEL", "STATE", "TAKES", "CONTEXT", "A MILLION TOKENS, IN AND OUT")
app = typer.Typer()
app.command()(fetch)


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context, json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """List the models that the server can ask, the default first, and what they cost.

    For example:

    - `antiphon models`
    - `antiphon chat --model openai/gpt-4.1-mini` (asks one of them)
    - `antiphon models fetch` (gets the weights of the small model)
    """
    if context.invoked_subcommand is None:
        run(_list(json, address, data_dir))


async def _list(json: bool, address: Address, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.table import print_table

    rows = []
    async with client_for(address, data_dir) as client:
        async for model in client.list_models():
            if json:
                print_json(as_dict(model))
                continue
            context = f"{model.context_tokens:,}" if model.context_tokens else "unknown"
            rows.append((model.name, _state(model), _takes(model), context, _prices(model)))
    if not json:
        print_table(_HEADINGS, rows, whole=True)


def _state(model: "Model") -> str:
    notes = ["default"] if model.default else []
    if model.HasField("retry_after"):
        notes.append(left_alone(model))
    if model.missing:
        notes.append(f"can't be asked: {model.missing}")
    return ", ".join(notes) or "ready"


def left_alone(model: "Model") -> str:
    """What is said of a model whose breaker is open."""
    seconds = ceil(model.retry_after.ToTimedelta().total_seconds())
    return f"is not asked for {seconds} s, since it failed too often"


def _takes(model: "Model") -> str:
    from antiphon.context.v1.message_pb2 import PartKind

    return ", ".join(PartKind.Name(it).removeprefix("PART_KIND_").lower() for it in model.accepts)


def _prices(model: "Model") -> str:
    if not model.HasField("input_price"):
        return "unknown"
    prices = model.input_price, model.output_price
    if not any(it.micros for it in prices):
        return "free"
    into, out = (f"{it.micros / 1e6:,.2f}" for it in prices)
    return f"{into} and {out} {model.input_price.currency}"
