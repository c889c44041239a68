"""docs/guides/workers.md in Node.js and Go, typed in as it stands: a new expert."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from antiphon_client import Client
from tests.clients.conftest import BUILDING, marked
from tests.clients.examples import BUILD_S, GO, NODE, WORKERS, Example, typed_in
from tests.e2e import readme
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S, until_it
from tests.proofs.bench.processes import ROOT

pytestmark = [
    BUILDING,
    pytest.mark.parametrize(
        "example", [marked(it) for it in WORKERS], indirect=True, scope="session"
    ),
]
GUIDE = ROOT / "docs" / "guides" / "workers.md"
_ASKS = {
    NODE.folder: "sed -i 's/words(text) {/words(_, said) { const text = "
    "`${said.type} ${said.metadata.form}`;/' words.js",
    GO.folder: 'sed -i \'s/session.TextOf(t.Parts)/t.Type + " " + t.Metadata["form"]/\' '
    "words/main.go",
}
"""Has the expert count the words of that, and not of the message."""


@pytest_asyncio.fixture
async def checkout(tmp_path: Path, example: Example) -> Path:
    """What the guide needs of a checkout, with the expert where the guide has it written."""
    shutil.copytree(ROOT / "proto", tmp_path / "proto")
    folder = Path("clients", "examples", example.folder)
    left_out = shutil.ignore_patterns("node_modules", "stubs")
    shutil.copytree(ROOT / folder, tmp_path / folder, ignore=left_out)
    language = "js" if example is NODE else "go"
    found = re.search(
        rf"`(\S+\.{language})`\s+in\s+`{folder}`.*?```{language} expert\n(.*?)^```",
        GUIDE.read_text(),
        re.DOTALL | re.MULTILINE,
    )
    assert found is not None
    file = tmp_path / folder / found[1]
    file.parent.mkdir(exist_ok=True)
    file.write_text(found[2])
    return tmp_path


@asynccontextmanager
async def begun(
    example: Example, checkout: Path, change: str = "true"
) -> AsyncIterator[tuple[ServerProcess, Client]]:
    """A server with the expert, which is let in and begun by what the guide says.

    What is written is changed before it is begun.
    """
    here, *prepares = f"cd {checkout}", *readme.commands(example.folder, GUIDE)
    begins = prepares.pop()
    async with ServerProcess(checkout / "server") as server, server.client() as client:
        invited = [here, *readme.commands("invite", GUIDE)]
        await asyncio.to_thread(readme.run_beside, server, invited)
        ran = await asyncio.to_thread(readme.run, [here, *prepares, change], {}, BUILD_S)
        assert [it for it in ran if it.exit_code] == []
        run = await typed_in("\n".join([here, prepares[0], f"exec {begins}"]))

        async def serves() -> bool:
            assert not run.over, await run.ended()
            return bool([it async for it in client.list_workers("global")])

        try:
            await until_it(serves, BUILD_S)
            yield server, client
        finally:
            await run.kill()


async def test_an_expert_in_ten_minutes(example: Example, checkout: Path) -> None:
    """It is let in, begun and asked by what the guide says, and answers as the one in Python."""
    async with begun(example, checkout) as (server, _):
        (question, output), *_ = readme.transcript("ask", GUIDE)
        (answered,) = await asyncio.to_thread(readme.run_beside, server, [question])
        assert readme.prints(answered, output), answered


async def test_an_expert_is_given_what_programs_say(example: Example, checkout: Path) -> None:
    """In Node.js behind the text, in Go with the turn."""
    change = _ASKS[example.folder]
    async with begun(example, checkout, change) as (_, client):
        made = await client.create_conversation()
        async with client.converse(made.conversation_id) as talk:
            said: dict[str, Any] = {"type": "form.submitted", "metadata": {"form": "order"}}
            turn = await talk.post("{}", handler="words", **said)
            result = await asyncio.wait_for(turn.result(), PATIENCE_S)
    assert result.text.split() == ["1", "x", "form.submitted", "1", "x", "order"]
