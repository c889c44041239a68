"""``antiphon``: its commands."""

import typer

from antiphon_server.cli.access import access
from antiphon_server.cli.audit.command import app as audit
from antiphon_server.cli.backup import backup, restore
from antiphon_server.cli.budgets import app as budgets
from antiphon_server.cli.calls import app as calls
from antiphon_server.cli.certs import certs
from antiphon_server.cli.chat.command import chat
from antiphon_server.cli.connections.command import app as connections
from antiphon_server.cli.context import app as context
from antiphon_server.cli.conversations import app as conversations
from antiphon_server.cli.devices import approve
from antiphon_server.cli.doctor.command import doctor
from antiphon_server.cli.erase import app as erase
from antiphon_server.cli.export import app as export
from antiphon_server.cli.filters.command import app as filters
from antiphon_server.cli.flags.command import app as flags
from antiphon_server.cli.handlers import handlers
from antiphon_server.cli.handoffs.command import app as handoffs
from antiphon_server.cli.keys import app as keys
from antiphon_server.cli.login import login, logout
from antiphon_server.cli.members import app as members
from antiphon_server.cli.memory.command import app as memory
from antiphon_server.cli.mesh import app as mesh
from antiphon_server.cli.migrate import migrate
from antiphon_server.cli.models import app as models
from antiphon_server.cli.notices import app as notices
from antiphon_server.cli.password import app as password
from antiphon_server.cli.profile import app as profile
from antiphon_server.cli.routes.command import app as routes
from antiphon_server.cli.schedules.command import app as schedules
from antiphon_server.cli.search import search
from antiphon_server.cli.secrets import app as secrets
from antiphon_server.cli.serve import serve
from antiphon_server.cli.sessions import app as sessions
from antiphon_server.cli.tail import tail
from antiphon_server.cli.token import token
from antiphon_server.cli.tools import app as tools
from antiphon_server.cli.up import up
from antiphon_server.cli.usage import usage
from antiphon_server.cli.users import app as users
from antiphon_server.cli.web import web
from antiphon_server.cli.webhooks.command import app as webhooks
from antiphon_server.cli.whiteboard import app as whiteboard
from antiphon_server.cli.whoami import whoami
from antiphon_server.cli.workers.command import app as workers
from antiphon_server.cli.workspaces import app as workspaces

_ABOUT = """Conversations between people, models, tools and experts, in which nothing is lost.

Begin with `antiphon chat`: it needs no set-up, no network and no key.
"""

app = typer.Typer(
    help=_ABOUT,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    chat,
    up,
    web,
    serve,
    certs,
    tail,
    token,
    login,
    logout,
    whoami,
    approve,
    doctor,
    usage,
    search,
    handlers,
    backup,
    restore,
    migrate,
):
    app.command()(command)
app.add_typer(conversations, name="conversations")
app.add_typer(workspaces, name="workspaces")
app.add_typer(context, name="context")
app.add_typer(memory, name="memory")
app.add_typer(erase, name="erase")
app.add_typer(export, name="export")
app.add_typer(models, name="models")
app.add_typer(tools, name="tools")
app.add_typer(calls, name="calls")
app.add_typer(handoffs, name="handoffs")
app.add_typer(workers, name="workers")
app.add_typer(routes, name="routes")
app.add_typer(filters, name="filters")
app.add_typer(flags, name="flags")
app.add_typer(schedules, name="schedules")
app.add_typer(webhooks, name="webhooks")
app.add_typer(whiteboard, name="whiteboard")
app.add_typer(connections, name="connections")
app.add_typer(secrets, name="secrets")
app.add_typer(budgets, name="budgets")
app.add_typer(access, name="access")
app.add_typer(members, name="members")
app.add_typer(sessions, name="sessions")
app.add_typer(keys, name="keys")
app.add_typer(notices, name="notices")
app.add_typer(mesh, name="mesh")
app.add_typer(audit, name="audit")
app.add_typer(users, name="users")
app.add_typer(profile, name="profile")
app.add_typer(password, name="password")


@app.callback(invoke_without_command=True)
def _global(
    version: bool = typer.Option(False, "--version", help="Say which version this is."),
) -> None:
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"antiphon {version_of('antiphon')}")
        raise typer.Exit
