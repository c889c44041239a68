"""``antiphon login --browser``, with a real provider and a program as the browser."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from antiphon_server.app import App, running
from antiphon_server.settings import read_settings
from tests.cli.conftest import Home
from tests.client.hostile import hostile
from tests.e2e.until import SOON_S
from tests.fakes.oidc_provider import provided

LISTENING_TO_CTRL_C = ("env", "--default-signal=INT")
"""What runs the tests may have been told to ignore it, and its children with it."""


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """A real provider, with one user."""
    with provided() as url:
        yield url


@pytest.fixture
async def server(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[App]:
    """A server with that provider, where whoever signs in gets an account."""
    monkeypatch.setenv("GOOGLE_SECRET", "hunter2")
    google = {"name": "google", "issuer": provider, "client_id": "antiphon", "sign_up": True}
    google["client_secret_env"] = "GOOGLE_SECRET"
    settings = read_settings(
        data_dir=tmp_path / "server",
        port=0,
        admin_port=0,
        model="scripted/echo",
        identity_providers=[google],
    )
    async with running(settings) as app:
        yield app


async def begin(home: Home, app: App, *more: str) -> tuple[asyncio.subprocess.Process, str]:
    """The command, and the URL that it says to open."""
    arguments = ["login", "-a", f"127.0.0.1:{app.port}", "--browser", *more]
    environment = {**os.environ, **home.environment}
    for screen in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        environment.pop(screen, None)
    command = await asyncio.create_subprocess_exec(
        *LISTENING_TO_CTRL_C,
        sys.executable,
        "-m",
        "antiphon_server",
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert command.stderr is not None
    said = ""
    async with asyncio.timeout(60):
        while line := (await command.stderr.readline()).decode():
            said += line
            if found := re.search(r"http://\S+", line):
                return command, found[0]
    raise AssertionError(f"no URL was said, but: {said}")


async def page(url: str, **form: str) -> tuple[int, str]:
    """What a browser shows in the end that presses this button."""
    async with aiohttp.ClientSession() as browser, browser.post(url, data=form) as response:
        return response.status, await response.text()


async def test_a_person_signs_in_with_a_browser(home: Home, server: App) -> None:
    """The browser says so, the terminal says as whom, and the tokens are kept for this user."""
    command, url = await begin(home, server)
    status, text = await page(url, sub="ann")
    out, _ = await command.communicate()
    assert (status, command.returncode) == (200, 0)
    assert "You are signed in" in text
    assert out.decode() == f"Signed in at 127.0.0.1:{server.port} as ann.\n"
    [kept] = (home.path / "state" / "antiphon" / "logins").glob("*.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert json.loads(kept.read_text())["refresh_token"]


BROWSER = """\
import sys, urllib.parse, urllib.request
form = urllib.parse.urlencode({"sub": "ann"}).encode()
print(urllib.request.urlopen(sys.argv[1], form).read().decode())
"""


async def test_a_browser_may_be_back_before_its_command_is(
    home: Home, server: App, tmp_path: Path
) -> None:
    """One whose command returns when all is shown, as in a terminal, is waited for by nobody."""
    program = tmp_path / "browser.py"
    program.write_text(BROWSER)
    environment = {**os.environ, **home.environment, "BROWSER": f"{sys.executable} {program} %s"}
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "antiphon_server", "login", "--browser"),
        *("-a", f"127.0.0.1:{server.port}"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(SOON_S):
        out, said = await command.communicate()
    assert command.returncode == 0, said
    assert b"You are signed in" in out
    assert f"Signed in at 127.0.0.1:{server.port} as ann.".encode() in out


async def test_who_refuses_there_is_told_in_both_places(home: Home, server: App) -> None:
    """The browser and the terminal say that nobody is signed in."""
    command, url = await begin(home, server)
    back = await _denied(url)
    status, text = await _get(f"{back}&{url[url.index('state=') :]}")
    _, err = await command.communicate()
    assert (status, command.returncode) == (403, 1)
    assert "You are not signed in" in text
    assert "denied the request" in err.decode()


async def test_what_else_comes_to_the_port_ends_nothing(home: Home, server: App) -> None:
    """Another path, another state, another method: the login goes on."""
    command, url = await begin(home, server)
    port = re.search(r"redirect_uri=http%3A%2F%2F127.0.0.1%3A(\d+)", url)
    assert port is not None
    base = f"http://127.0.0.1:{port[1]}"
    for path in ("/favicon.ico", "/callback", "/callback?code=x&state=y", "/callback?error=X%0A"):
        assert (await _get(base + path))[0] == 404
    assert "404" in await _first_line(int(port[1]), b"GET http://[ HTTP/1.1\r\n\r\n")
    assert (await page(url, sub="ann"))[0] == 200
    _, err = await command.communicate()
    assert (command.returncode, "Traceback" in err.decode()) == (0, False)


async def test_a_refusal_that_names_no_login_is_shown_once(home: Home, server: App) -> None:
    """It may be this login's or a stranger's: both places show it, and the login goes on."""
    command, url = await begin(home, server)
    back = await _denied(url)
    assert "state=" not in back
    for _ in range(3):
        status, text = await _get(back)
        assert (status, "access_denied" in text) == (403, True)
    assert (await page(url, sub="ann"))[0] == 200
    _, err = await command.communicate()
    assert (command.returncode, err.decode().count("access_denied")) == (0, 1)


async def test_a_server_can_not_have_a_program_started(home: Home) -> None:
    """What it wants opened neither reaches the browser's command line nor the terminal."""
    seen, browser = home.path / "seen", home.path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {seen}\n')
    browser.chmod(0o755)
    wanted = "--renderer-cmd-prefix=/tmp/evil"
    async with hostile(wanted) as address:
        arguments = ["login", "--browser", "-a", address]
        told = await asyncio.to_thread(home.run, *arguments, BROWSER=str(browser), DISPLAY=":0")
    assert (told.returncode, seen.exists(), wanted in told.stderr) == (1, False, False)
    assert "no page to sign in at" in told.stderr


async def test_a_provider_that_is_not_there_is_told(home: Home, server: App) -> None:
    """With a sentence, before any browser is opened."""
    arguments = ["login", "-a", f"127.0.0.1:{server.port}", "--provider", "nobody"]
    shown = await asyncio.to_thread(home.run, *arguments)
    assert shown.returncode == 1
    assert "there is no identity provider nobody" in shown.stderr


async def test_the_doctor_looks_at_the_providers(home: Home, provider: str) -> None:
    """One that answers is well; one that is somebody else, or takes no such client, is told."""
    settings = [
        {"name": "right", "issuer": provider, "client_id": "antiphon"},
        {"name": "wrong", "issuer": provider + "/", "client_id": "antiphon"},
    ]
    settings[0]["client_secret_env"] = "GOOGLE_SECRET"
    settings.append({"name": "public", "issuer": provider, "client_id": "antiphon"})
    shown = await asyncio.to_thread(
        home.run,
        "doctor",
        "--json",
        ANTIPHON_IDENTITY_PROVIDERS=json.dumps(settings),
        GOOGLE_SECRET="hunter2",
    )
    found = [json.loads(line) for line in shown.stdout.splitlines()]
    told = [(one["verdict"], one["found"]) for one in found if one["check"] == "identity provider"]
    assert told[0] == ("ok", "right answers")
    assert told[1][0] == "bad"
    assert "not of" in told[1][1]
    assert told[2][0] == "bad"
    assert "HTTP status 401, error 'invalid_client'; are client_id and" in told[2][1]


async def test_ctrl_c_gives_up(home: Home, server: App) -> None:
    """At once, with the code that shells expect."""
    command, _ = await begin(home, server)
    command.send_signal(signal.SIGINT)
    await asyncio.wait_for(command.communicate(), 30)
    assert command.returncode == 130


async def _denied(url: str) -> str:
    async with (
        aiohttp.ClientSession() as browser,
        browser.post(url, data={"action": "deny"}, allow_redirects=False) as response,
    ):
        return response.headers["Location"]


async def _get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as browser, browser.get(url) as response:
        return response.status, await response.text()


async def _first_line(port: int, request: bytes) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    line = await asyncio.wait_for(reader.readline(), SOON_S)
    writer.close()
    return line.decode()
