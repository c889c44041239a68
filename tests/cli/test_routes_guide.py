"""docs/guides/routes.md, done as it says."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

from tests.cli.conftest import Home
from tests.cli.terminal import Terminal
from tests.e2e.followed import Followed
from tests.e2e.process import OwnProcess
from tests.e2e.readme import Ran, commands, prints, run, transcript
from tests.e2e.until import until_it
from tests.programs import PATH
from tests.proofs.bench.processes import free_port
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "routes.md"
_LISTED = "antiphon workers list --json"
REFUSED = "antiphon routes set wide.toml --if-revision 1"


class FollowedWorker(OwnProcess):
    """The experts, as the guide starts them."""

    forked = False

    async def serves(self) -> bool:
        """They dial in by themselves; who needs them waits for that."""
        return True


class Reader:
    """Somebody who types what stands there, in one folder; what is not as it says is kept."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.folder, self.variables = folder, variables
        self.wrong: list[tuple[Ran, str]] = []
        self._begins: list[str] = []
        self.conversation = ""

    async def follow(self, mark: str) -> None:
        """Type a block, in a shell that knows the conversation."""
        told = transcript(mark, GUIDE)
        block = [f"cd {self.folder}", *self._begins, *(command for command, _ in told)]
        ran = (await asyncio.to_thread(run, block, self.variables))[-len(told) :]
        for (command, output), it in zip(told, ran, strict=True):
            if not prints(it, output) or bool(it.exit_code) != (command == REFUSED):
                self.wrong.append((it, output))

    async def remember(self) -> None:
        """Begin the conversation, which is the same one in each shell."""
        begins = [*commands("conversation", GUIDE), "echo $CONVERSATION"]
        block = [f"cd {self.folder}", *begins]
        found = (await asyncio.to_thread(run, block, self.variables))[-1].output
        self.conversation = found.strip()
        self._begins = [f"export CONVERSATION={found}"]

    def converse(self, mark: str) -> None:
        """Type at a chat's prompts what stands there, and see what it shows."""
        begin, *lines = _written("console", mark).splitlines()
        command = begin.replace("$ antiphon", "").replace("$CONVERSATION", self.conversation)
        with Terminal(command.split(), self.variables) as chat:
            seen = chat.wait_for(">$").end()
            for line in lines:
                if line.startswith("> "):
                    chat.line(line.removeprefix("> "))
                else:
                    seen = chat.wait_for(re.escape(line.strip()), after=seen).end()

    async def workers(self, are: int) -> None:
        """Wait until so many are there."""

        async def there() -> bool:
            shown = (await asyncio.to_thread(run, [_LISTED], self.variables))[0].output
            return shown.count("worker_id") == are

        await until_it(there)


def _written(kind: str, mark: str) -> str:
    found = re.search(rf"^```{kind} {mark}\n(.*?)^```", GUIDE.read_text(), re.S | re.M)
    assert found is not None
    return found[1]


async def test_an_operator_works_through_it(home: Home, tmp_path: Path) -> None:
    """Each command prints what it says, and messages go where it says."""
    port = free_port()
    ports = {"ANTIPHON_PORT": str(port), "ANTIPHON_ADMIN_PORT": "0"}
    variables = {**home.environment, **ports, "PATH": PATH}
    (tmp_path / "experts.py").write_text(_written("python", "experts"))
    (tmp_path / "routes.toml").write_text(_written("toml", "first"))
    for name in ("german", "asking"):
        (tmp_path / f"{name}.toml").write_text(_written("toml", name))
    reader = Reader(tmp_path, {**home.environment, "PATH": PATH})
    block = commands("settings", GUIDE)
    async with Followed(block, variables, tmp_path / "server.log", home.path, port):
        await reader.follow("invite")
        (begins,) = commands("worker", GUIDE)
        command = ("bash", "-c", f"exec {begins}")
        async with FollowedWorker(command, variables, tmp_path / "worker.log", tmp_path):
            await reader.workers(1)
            await reader.follow("handlers")
            await reader.follow("set")
            await reader.remember()
            for mark in ("explain", "event", "try", "history", "asking"):
                await reader.follow(mark)
            await asyncio.to_thread(reader.converse, "question")
            await reader.follow("asked")
        await reader.workers(0)
        await reader.follow("away")
    assert reader.wrong == []


async def test_what_it_says_of_a_match_is_all() -> None:
    """Each field of the contract stands in its table."""
    from antiphon.dispatcher.v1.route_pb2 import RouteMatch

    told = re.findall(r"^\| `(\w+)` \|", GUIDE.read_text(), re.M)
    assert {it.name for it in RouteMatch.DESCRIPTOR.fields} <= set(told)
