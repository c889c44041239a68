"""docs/guides/first-day.md: a sitting at real terminals, which has to be what the guide shows.

``python -m tests.cli.test_first_day`` writes the sitting that takes place into the guide.
"""

import asyncio
import contextlib
import json
import os
import random
import re
import shlex
import socket
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import oidc_provider_mock
import pytest

from antiphon_server.app import running
from antiphon_server.cli.paths import SERVER_FILE
from antiphon_server.settings import read_settings
from tests.cli.terminal import Terminal
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "first-day.md"
PASSWORD = "correct horse battery"
REPLIES = {
    r"Password:": PASSWORD,
    r"New password, at least 12 characters:": PASSWORD,
    r"Repeat for confirmation:": PASSWORD,
    r"\[y/N\]:": "y",
}
COLUMNS = 80
LAPTOP = "tests.cli.laptop"
LONGEST_S = 300.0
WAITS = "Ctrl-C ends this."
"""What a command says last that waits for somebody else."""
ID = re.compile(r"\b(?:sess|key|user|conv|ws)_[0-9a-z]{26}\b|\bantp_\w{49}|\b[B-Z]{4}-[B-Z]{4}\b")
_PAGE = re.compile(r"^    (http://\S+)$", re.MULTILINE)
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
            homes = {who: _home(folder / who, address) for who in ("operator", "anna", "tablet")}
            typed = [
                (who, command.replace(ADDRESS, address), seen) for who, command, seen in script
            ]
            done = await asyncio.to_thread(sit, homes, typed)

    def here(text: str) -> str:
        return _SECRET.sub("antk_…", text.replace(address, ADDRESS).replace(issuer, ISSUER))

    seen = (
        (here(command), here(_URL.sub(_SHOWN_URL, "\n".join(lines).rstrip())))
        for command, lines in done
    )
    return [(who, *told) for (who, _, _), told in zip(script, seen, strict=True)]


def _port() -> int:
    """A free one of five digits, as in the guide: with fewer, other lines are folded."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port := random.randrange(10_000, 32_768)))
            return port


def sit(
    homes: Mapping[str, Mapping[str, str]], script: Sequence[Step]
) -> list[tuple[str, list[str]]]:
    """Type each person's command; an empty one goes on with what waits there.

    Words that the script has of an earlier output, such as an id, are those of its own run.
    Returns what was typed, and what was seen.
    """
    sitting: dict[str, Terminal] = {}
    shown: dict[str, int] = {}
    told: list[tuple[str, list[str]]] = []
    known: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        for who, command, expected in script:
            for old, new in known.items():
                command = command.replace(old, new)
            if command:
                words, folder = shlex.split(command)[1:], homes[who]["HOME"]
                at = Terminal(words, homes[who], COLUMNS, module=LAPTOP, folder=folder)
                sitting[who], shown[who] = stack.enter_context(at), 1
            watch(sitting[who], to_the_end=not command)
            seen = sitting[who].seen.split("\n")
            told.append((command, seen[shown[who] - 1 :]))
            shown[who] = len(seen)
            known |= dict(
                zip(ID.findall(expected), ID.findall("\n".join(told[-1][1])), strict=False)
            )
    return told


def watch(terminal: Terminal, *, to_the_end: bool) -> None:
    """Answer what it asks until it ends, or says that it waits for somebody else."""
    answered, until = 0, time.monotonic() + LONGEST_S
    while True:
        ended, said = terminal.ended, terminal.output.decode(errors="replace")
        unanswered = said[answered:].replace("\r", "")
        for question, reply in REPLIES.items():
            # What is typed before the blank stands there is lost.
            if re.search(f"{question} $", unanswered):
                answered = len(said)
                terminal.line(reply)
        if page := _PAGE.search(unanswered):
            answered = len(said)
            threading.Thread(target=_press, args=(page[1],), daemon=True).start()
        if ended or (not to_the_end and WAITS in said):
            return
        assert time.monotonic() < until, said
        time.sleep(0.01)


def _press(url: str) -> None:
    """Be the browser, in which somebody signs in."""
    urllib.request.urlopen(url, data=b"sub=anna", timeout=LONGEST_S).read()


def _home(folder: Path, address: str) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    return {
        "TESTS_DEFAULT_ADDRESS": address,
        "ANTIPHON_ADDRESS": "",
        "GRPC_VERBOSITY": "NONE",
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
