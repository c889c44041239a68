"""``antiphon schedules``."""

import typer

from antiphon_server.cli.schedules.changing import delete, pause, resume, run_now
from antiphon_server.cli.schedules.making import create
from antiphon_server.cli.schedules.showing import list_schedules, runs, show

_ABOUT = """Have messages posted by the clock: at a time, or again and again.

A schedule posts a message in a conversation in your name, and whoever answers there answers. Each
due time starts one turn, or is left out, as you say of times at which no server ran.

For example:

- `antiphon schedules create conv_… "Sum up the night" --cron "0 7 * * MON-FRI" --time-zone
  Europe/Berlin`
- `antiphon schedules create conv_… "Is the report there?" --at 17:30`
- `antiphon schedules list`
- `antiphon schedules runs sched_…` (what became of the newest due times, and why)
- `antiphon schedules pause sched_…`

A cron has five fields, minute, hour, day of the month, month and day of the week:

- `0 9 * * *` each day at nine
- `*/10 8-18 * * MON-FRI` each ten minutes of working hours
- `30 6 1,15 * *` at the first and the fifteenth
- `0 17 L * *` at the last day of each month, `0 9 * * 1#2` at each second Monday
"""
app = typer.Typer(help=_ABOUT, no_args_is_help=True, rich_markup_mode="markdown")
app.command("list")(list_schedules)
app.command()(create)
app.command()(show)
app.command()(runs)
app.command()(pause)
app.command()(resume)
app.command("run")(run_now)
app.command()(delete)
