"""``antiphon login --browser``: at an identity provider, in a browser on this machine."""

import os
import sys
import webbrowser
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from antiphon_client import AntiphonError, Client, Tokens
from antiphon_client.provider_login import ProviderLogin
from antiphon_server.cli.console import CommandError, in_a_line, say
from antiphon_server.cli.explain import explain
from antiphon_server.cli.logins import keep_login, say_signed_in
from antiphon_server.cli.paths import data_dir_or_default
from antiphon_server.cli.redirect import Page, RedirectServer
from antiphon_server.cli.trust import tls_for
from antiphon_server.cli.where import reached

if TYPE_CHECKING:
    from antiphon.auth.v1.auth_service_pb2 import StartLoginResponse

SIGNED_IN_WITHIN_S = 600.0
"""As long as the server waits."""
_DONE = "You are signed in. You can close this window and go back to the terminal."


async def log_in_by_browser(address: str, provider: str, ca: Path | None) -> None:
    """Sign in and keep the tokens. Raises CommandError, AntiphonError."""
    address = reached(address)
    tls = tls_for(address, data_dir_or_default(None), ca)
    async with ProviderLogin(address, device="antiphon cli", tls=tls) as login:
        provider = provider or await _only_provider(login)
        async with RedirectServer(_report_refusal) as server:
            tokens = await _tokens(login, server, provider)
    keep_login(address, tokens, ca)
    async with Client.connect(address, tokens, tls=tls) as client:
        me = await client.who_am_i()
    say_signed_in(address, me.user.name)


async def _only_provider(login: ProviderLogin) -> str:
    names = [each.name for each in (await login.methods()).providers]
    if not names:
        raise CommandError(
            "nobody can sign in there by a browser: the server has no identity provider "
            "(ANTIPHON_IDENTITY_PROVIDERS). Try `antiphon login`, without --browser."
        )
    if len(names) > 1:
        raise CommandError(f"which provider? Add --provider with one of: {', '.join(names)}.")
    return names[0]


async def _tokens(login: ProviderLogin, server: RedirectServer, provider: str) -> Tokens:
    started = await login.start(provider, server.uri)
    state = dict(parse_qsl(urlsplit(started.authorization_url).query)).get("state", "")
    server.expect(state)
    _open(started.authorization_url)
    try:
        answer = await server.wait(SIGNED_IN_WITHIN_S)
    except TimeoutError:
        raise CommandError("nobody came back from the browser for 10 minutes.") from None
    try:
        tokens = await _finished(login, started, answer)
    except (CommandError, AntiphonError) as error:
        why = explain(error) if isinstance(error, AntiphonError) else str(error)
        await server.show(Page("You are not signed in", why, HTTPStatus.FORBIDDEN))
        raise
    await server.show(Page("Signed in to Antiphon", _DONE))
    return tokens


async def _finished(
    login: ProviderLogin, started: "StartLoginResponse", answer: Mapping[str, str]
) -> Tokens:
    if "code" not in answer:
        told = in_a_line(answer.get("error_description") or answer.get("error") or "no code")
        raise CommandError(f"the identity provider let you go without a login: {told[:200]}")
    code, state, issuer = answer["code"], answer["state"], answer.get("iss", "")
    return await login.finish(started, code, state, issuer)


def _report_refusal(error: str) -> None:
    """Whether it was this login that was refused, only the person can know."""
    say(
        f"A browser came back without a login: {error}. If that was you, Ctrl-C gives up; "
        "else finish in the browser.",
        err=True,
    )


def _open(url: str) -> None:
    """Say where to go, and go there if there is a screen.

    A browser's command may return when its window is closed, so a thread of its own waits for it,
    which keeps this program from nothing.
    """
    say("Sign in with a browser on this machine:", err=True)
    say(f"\n    {url}\n", err=True)
    say("Waiting for it; Ctrl-C gives up. Elsewhere `antiphon login --device` works.", err=True)
    screen = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    if screen or sys.platform in ("darwin", "win32"):
        Thread(target=webbrowser.open, args=(url,), daemon=True).start()
