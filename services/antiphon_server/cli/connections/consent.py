"""``antiphon connections authorize``: a person's consent, in a browser on this machine."""

import os
import sys
import webbrowser
from http import HTTPStatus
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from antiphon_client import AntiphonError, Client
from antiphon_server.cli.console import CommandError, in_a_line, say
from antiphon_server.cli.explain import explain
from antiphon_server.cli.redirect import Page, RedirectServer

if TYPE_CHECKING:
    from antiphon.integration.v1.connection_pb2 import Connection
    from antiphon.integration.v1.connection_service_pb2 import AuthorizeConnectionResponse

CONSENT_WITHIN_S = 600.0
"""As long as the server waits."""
_DONE = "The connection is authorized. You can close this window and go back to the terminal."


async def consented(client: Client, workspace_id: str, name: str, port: int) -> "Connection":
    """Have a person consent, and return the connection as it is then.

    Raises CommandError, AntiphonError.
    """
    async with RedirectServer(_report_refusal, port) as server:
        begun = await _begun(client, workspace_id, name, server.uri)
        server.expect(begun.state)
        _open(begun.authorization_url)
        try:
            answer = await server.wait(CONSENT_WITHIN_S)
        except TimeoutError:
            raise CommandError("nobody came back from the browser for 10 minutes.") from None
        try:
            done = await client.complete_authorization(workspace_id, name, answer)
        except AntiphonError as error:
            await server.show(Page("It is not authorized", explain(error), HTTPStatus.FORBIDDEN))
            raise
        await server.show(Page("Authorized", _DONE))
    return done


async def _begun(
    client: Client, workspace_id: str, name: str, uri: str
) -> "AuthorizeConnectionResponse":
    """Begin; where the client's secret is not stored, say how it is. Raises CommandError."""
    try:
        return await client.authorize_connection(workspace_id, name, uri)
    except AntiphonError as error:
        kind, _, secret = error.metadata.get("resource", "").partition(" ")
        if error.reason != "NOT_FOUND" or kind != "secret":
            raise
        raise CommandError(
            f"the workspace has no secret {in_a_line(secret)}, or none that opens here, which "
            f"{in_a_line(name)} is authorized with. Store it with "
            f"`antiphon secrets put {in_a_line(secret)}`, and authorize again."
        ) from None


def _report_refusal(error: str) -> None:
    say(
        f"A browser came back without a consent: {error}. If that was you, Ctrl-C gives up; "
        "else finish in the browser.",
        err=True,
    )


def _open(url: str) -> None:
    """Say where to go, and go there if there is a screen. No shell reads the address."""
    if urlsplit(url).scheme not in ("http", "https") or not (url.isascii() and url.isprintable()):
        raise CommandError("the server names a page that no browser should open.")
    say("Consent with a browser on this machine:", err=True)
    say(f"\n    {url}\n", err=True)
    say("Waiting for it; Ctrl-C gives up.", err=True)
    screen = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    if screen or sys.platform in ("darwin", "win32"):
        Thread(target=webbrowser.open, args=(url,), daemon=True).start()
