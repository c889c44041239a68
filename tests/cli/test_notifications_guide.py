"""docs/guides/notifications.md, done as it says, with the receiver that it shows."""

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest
from google.protobuf import json_format

from antiphon.dispatcher.v1.webhook_pb2 import WebhookMessage
from tests.cli.conftest import Home
from tests.e2e.followed import Followed
from tests.e2e.readme import commands, prints, run, transcript
from tests.e2e.until import until
from tests.programs import PATH
from tests.proofs.bench.processes import free_port
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "notifications.md"


def _written(kind: str, mark: str) -> str:
    found = re.search(rf"^```{kind} {mark}\n(.*?)^```", GUIDE.read_text(), re.S | re.M)
    assert found is not None
    return found[1]


class Reader:
    """Somebody who types what stands there; of ``places`` others are here."""

    def __init__(
        self, folder: Path, variables: Mapping[str, str], places: Mapping[str, str]
    ) -> None:
        self.folder, self.variables, self.places = folder, variables, places
        self._webhook = ""

    def here(self, text: str) -> str:
        """The same with ports that are free, and the reader's own folders."""
        for old, new in self.places.items():
            text = text.replace(old, new)
        return text

    async def follow(self, mark: str) -> None:
        """Type a block, and compare what it prints."""
        told = [(self.here(it), self.here(out)) for it, out in transcript(mark, GUIDE)]
        known = [f"cd {self.folder}", self._webhook or "true"]
        block = [*known, *(command for command, _ in told)]
        ran = (await asyncio.to_thread(run, block, self.variables))[-len(told) :]
        wrong = [it for (_, out), it in zip(told, ran, strict=True) if not prints(it, out)]
        assert not wrong
        if mark == "create":
            made = json.loads((self.folder / "webhook.json").read_text())
            self._webhook = f"export WEBHOOK={made['webhook_id']}"


@pytest.mark.needs("node")
async def test_a_receiver_in_another_language_verifies_what_it_gets(
    home: Home, tmp_path: Path
) -> None:
    """Each command prints what it says; what isn't signed is refused."""
    port, there = free_port(), free_port()
    at = {"ANTIPHON_PORT": str(port), "ANTIPHON_ADMIN_PORT": "0", "PATH": PATH}
    (tmp_path / "receiver.mjs").write_text(_written("js", "receiver"))
    (tmp_path / "unseen.py").write_text(_written("python", "unseen"))
    mine = {**home.environment, "PATH": PATH}
    data = str(home.data_dir)
    places = {"8787": str(there), "7450": str(port), "~/.local/share/antiphon": data}
    reader = Reader(tmp_path, mine, places)
    settings, log = commands("settings", GUIDE), tmp_path / "receiver.log"
    async with Followed(settings, {**mine, **at}, tmp_path / "server.log", home.path, port):
        await reader.follow("create")
        (begins,) = commands("receiver", GUIDE)
        block, variables = _split(begins), {**mine, "PORT": str(there)}
        async with Followed(block, variables, log, tmp_path, there, is_server=False):
            await reader.follow("try")
            await until(lambda: len(log.read_text().splitlines()) == 2)
            told = [it.strip() for it in _written("text", "printed").splitlines()]
            for line, wanted in zip(log.read_text().splitlines(), told, strict=True):
                assert re.fullmatch(wanted.replace("…", ".*"), line.strip())
            forged = {"webhook-id": "ntf_1", "webhook-timestamp": "1", "webhook-signature": "v1,"}
            url = f"http://127.0.0.1:{there}/hook"
            async with (
                aiohttp.ClientSession() as session,
                session.post(url, data=b"{}", headers=forged) as answer,
            ):
                assert answer.status == 401
            await reader.follow("rotate")
            await reader.follow("unseen")
            await reader.follow("remove")


def _split(line: str) -> list[str]:
    """What sets a variable, and what begins with it."""
    setting, _, program = line.rpartition(" node ")
    return [f"export {setting}", f"node {program}"]


def test_what_it_says_is_posted_is_the_contracts() -> None:
    """The example reads as the message, and has all that is set of a turn that has ended."""
    found = json_format.Parse(_written("json", "posted"), WebhookMessage())
    of_others = {"tool_call_id", "question_id", "handoff_id", "handoff_role", "handoff_end"}
    left_out = {"error_reason", *of_others}
    names = {it.name for it in found.data.DESCRIPTOR.fields}
    assert {it.name for it, _ in found.data.ListFields()} == names - left_out
