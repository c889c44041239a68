"""``antiphon memory``."""

import typer

from antiphon_server.cli.memory.changing import add, correct, forget
from antiphon_server.cli.memory.entities import app as entities
from antiphon_server.cli.memory.external import app as external
from antiphon_server.cli.memory.pruning import prune, restore, retention
from antiphon_server.cli.memory.recalling import recall
from antiphon_server.cli.memory.showing import export, list_memories, show

_ABOUT = """What do you know about me? What is remembered, where it comes from, how it goes again.

A memory is a sentence: a fact, a preference, an event or a note. It says where it comes from, and
what it was before somebody corrected it. Your own are read by you alone, and by what answers you;
those of a conversation or a workspace by whoever reads there. What is about you, you may forget
wherever you can read it.

For example:

- `antiphon memory list` (all that is remembered of you)
- `antiphon memory add "Answers are to be brief" --kind preference`
- `antiphon memory recall "how does she like answers"` (what a model would be reminded of)
- `antiphon memory show mem_…` (its sources, and what it was)
- `antiphon memory correct mem_… "Anna lives in Lyon"`
- `antiphon memory forget mem_…` (its text, its history, its sources: gone)
- `antiphon memory export > memories.jsonl`
- `antiphon memory entities list` (whom and what it names)
- `antiphon memory prune --older-than 1y` (what nobody needs: shown, put away, brought back)
"""
app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
app.command("list")(list_memories)
app.command()(add)
app.command()(recall)
app.command()(show)
app.command()(correct)
app.command()(forget)
app.command()(export)
app.add_typer(entities, name="entities")
app.add_typer(external, name="external")
app.command()(prune)
app.command()(restore)
app.command()(retention)
