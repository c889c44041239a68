"""docs/guides/first-day.md: a sitting at real terminals, which has to be what the guide shows.

``python -m tests.cli.test_first_day`` writes the sitting that takes place into the guide.
"""

import asyncio
import contextlib
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import oidc_provider_mock
import pytest

from antiphon_server.app import running
from antiphon_server.cli.paths import SERVER_FILE
from antiphon_server.settings import read_settings
from tests.cli.sitting import ID
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "first-day.md"
PASSWORD = "correct horse battery"
REPLIES = {
    r"Password:": PASSWORD,
    r"New password, at least 12 characters:": PASSWORD,
    r"Repeat for confirmation:": PASSWORD,
    r"\[y/N\]:": "y",
}
_BLOCK = re.compile(r"^```console sitting\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^(operator|anna|tablet)\$ ?(.*)$")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+Z)?)?)?")
_NUMBER = re.compile(r"^#\d+ +|\d+(?= events| in all)", re.MULTILINE)
_REFUSED = re.compile(r"^NTIME +access_refused .*\n(?: {29}.*\n)*", re.MULTILINE)
_SECRET = re.compile(r"antk_\w{49}")
_URL = re.compile(r"^    http://localhost:\d+/.*?\n\n", re.MULTILINE | re.DOTALL)
_SHOWN_URL = "    https://id.example.org/authorize?response_type=code&…\n\n"
ADDRESS, ISSUER = "127.0.0.1:7450", "http://localhost:49400"

Step = tuple[str, str, str]
"""Who, what they type, and what they see."""


def steps(block: str) -> Iterator[Step]:
    """The commands of a block, and what each shows."""
    who, command = "", ""
    seen: list[str] = []
    for line in [*block.splitlines(), "anna$"]:
        if found := _PROMPT.match(line):
            if who:
                yield who, command, "\n".join(seen)
            who, command, seen = found[1], found[2], []
        else:
            seen.append(line)


def canonical(text: str) -> str:
    """The same for every sitting: ids and codes by their order, times and places as such.

    Refusals are recorded a moment later, beside what happens then.
    """
    order = {name: number for number, name in enumerate(dict.fromkeys(ID.findall(text)))}
    text = ID.sub(lambda found: f"{found[0].rpartition('_')[0]}_{order[found[0]]}", text)
    return _REFUSED.sub("", _NUMBER.sub("N", _TIME.sub("TIME", text)))


async def sitting(script: list[Step], folder: Path) -> list[Step]:
    """What takes place when everybody types that, and a server with a provider is there."""
    anna = oidc_provider_mock.User(sub="anna", claims={"preferred_username": "anna"})
    with oidc_provider_mock.run_server_in_thread(_port(), user_claims=[anna]) as provider:
        issuer = f"http://localhost:{provider.server_port}"
        google = {"name": "example", "issuer": issuer, "client_id": "antiphon"}
        google["client_secret_env"] = "EXAMPLE_SECRET"
        data_dir = folder / "operator" / "data" / "antiphon"
        settings = read_settings(
            data_dir=data_dir,
            port=_port(),
            admin_port=0,
            model="scripted/echo",
            identity_providers=[google],
        )
        async with running(settings) as app:
            address = f"127.0.0.1:{app.port}"
            told = json.dumps({"address": address, "pid": os.getpid()})
            (data_dir / SERVER_FILE).write_text(told)
            homes = {who: _home(folder / who) for who in ("operator", "anna", "tablet")}
            typed = [
                (who, command.replace(ADDRESS, address), seen) for who, command, seen in script
            ]
            asked = {"homes": homes, "script": typed, "replies": REPLIES, "default": address}
            done = await asyncio.to_thread(_run, json.dumps(asked))

    def here(text: str) -> str:
        return _SECRET.sub("antk_…", text.replace(address, ADDRESS).replace(issuer, ISSUER))

    seen = (
        (here(command), here(_URL.sub(_SHOWN_URL, "\n".join(lines).rstrip())))
        for command, lines in json.loads(done)
    )
    return [(who, *told) for (who, _, _), told in zip(script, seen, strict=True)]


def _port() -> int:
    """A free one of five digits, as in the guide: with fewer, other lines are folded."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port := random.randrange(10_000, 32_768)))
            return port


def _run(asked: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.cli.sitting"],
        input=asked,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
        cwd=ROOT,
        env={**os.environ, "GRPC_VERBOSITY": "NONE", "ANTIPHON_ADDRESS": ""},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _home(folder: Path) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    return {
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_STATE_HOME": str(folder / "state"),
        "TERM": "dumb",
        "NO_COLOR": "1",
        "TZ": "UTC",
        "DISPLAY": "",
        "BROWSER": "",
        "WAYLAND_DISPLAY": "",
    }


def _shown(script: list[Step]) -> str:
    lines = (
        f"{who}$ {command}".rstrip() + "\n" + (f"{seen}\n" if seen else "")
        for who, command, seen in script
    )
    return "".join(lines)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server and the provider read from their environment."""
    monkeypatch.setenv("EXAMPLE_SECRET", "hunter2")
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")


async def test_the_first_day_is_what_the_guide_shows(secrets: None, tmp_path: Path) -> None:
    """Every line of it, in 80 columns, but for ids, times and secrets."""
    guide = "".join(_BLOCK.findall(GUIDE.read_text()))
    script = list(steps(guide))
    done = await sitting(script, tmp_path)
    assert canonical(_shown(done)) == canonical(guide)
    assert max(map(len, _shown(done).splitlines())) <= 100


async def _write() -> None:
    os.environ |= {"EXAMPLE_SECRET": "hunter2", "AUTHLIB_INSECURE_TRANSPORT": "1"}
    text = GUIDE.read_text()
    blocks = [list(steps(block)) for block in _BLOCK.findall(text)]
    with tempfile.TemporaryDirectory() as folder:
        done = iter(await sitting([step for block in blocks for step in block], Path(folder)))
    fresh = iter([_shown([next(done) for _ in block]) for block in blocks])
    GUIDE.write_text(_BLOCK.sub(lambda _: f"```console sitting\n{next(fresh)}```", text))


if __name__ == "__main__":
    asyncio.run(_write())
