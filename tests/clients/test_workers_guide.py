"""docs/guides/workers.md in Node.js and Go, typed in as it stands: a new expert."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest
import pytest_asyncio

from tests.clients.conftest import BUILDING, marked
from tests.clients.examples import BUILD_S, NODE, WORKERS, Example, typed_in
from tests.e2e import readme
from tests.e2e.server import ServerProcess
from tests.e2e.until import until_it
from tests.proofs.bench.processes import ROOT

pytestmark = [
    BUILDING,
    pytest.mark.parametrize(
        "example", [marked(it) for it in WORKERS], indirect=True, scope="session"
    ),
]
GUIDE = ROOT / "docs" / "guides" / "workers.md"


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


async def test_an_expert_in_ten_minutes(example: Example, checkout: Path) -> None:
    """It is let in, begun and asked by what the guide says, and answers as the one in Python."""
    here, *prepares = f"cd {checkout}", *readme.commands(example.folder, GUIDE)
    begins = prepares.pop()
    async with ServerProcess(checkout / "server") as server, server.client() as client:
        invited = [here, *readme.commands("invite", GUIDE)]
        await asyncio.to_thread(readme.run_beside, server, invited)
        ran = await asyncio.to_thread(readme.run, [here, *prepares], {}, BUILD_S)
        assert [it for it in ran if it.exit_code] == []
        run = await typed_in("\n".join([here, prepares[0], f"exec {begins}"]))

        async def serves() -> bool:
            assert not run.over, await run.ended()
            return bool([it async for it in client.list_workers("global")])

        try:
            await until_it(serves, BUILD_S)
            (question, output), *_ = readme.transcript("ask", GUIDE)
            (answered,) = await asyncio.to_thread(readme.run_beside, server, [question])
            assert readme.prints(answered, output), answered
        finally:
            await run.kill()
