"""``antiphon models``."""

from math import ceil

import typer

from antiphon_server.cli.console import in_a_line, print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.weights import fetch

app = typer.Typer()
app.command()(fetch)


@app.callback(invoke_without_command=True)
def models(
    context: typer.Context, json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """List the models that the server can ask, the default first.

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

    async with client_for(address, data_dir) as client:
        async for model in client.list_models():
            if json:
                print_json(as_dict(model))
                continue
            notes = ["default"] if model.default else []
            if model.context_tokens:
                notes.append(f"{model.context_tokens:,} tokens of context")
            if model.HasField("retry_after"):
                seconds = ceil(model.retry_after.ToTimedelta().total_seconds())
                notes.append(f"not asked for {seconds} s, since it failed too often")
            if model.missing:
                notes.append(f"can't be asked: {model.missing}")
            say(f"{in_a_line(model.name)}  {', '.join(notes)}".rstrip())
