"""The program of docs/guides/approvals.md, as it stands, decides about real calls."""

import asyncio
import re
import sys
from pathlib import Path

from antiphon.integration.v1.tool_pb2 import TOOL_RULE_ASK
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.e2e.until import PATIENCE_S
from tests.repository.files import ROOT

GUIDE = (ROOT / "docs" / "guides" / "approvals.md").read_text()
[PROGRAM] = re.findall(r"^```python approver\n(.*?)^```", GUIDE, re.S | re.M)
TIME = "antiphon.time"


def _asks(zone: str) -> list[dict[str, str]]:
    return [{"tool": TIME, "arguments": f'{{"zone": "{zone}"}}'}]


MODEL = {
    "name": "scripted/echo",
    "kind": "scripted",
    "model": "echo",
    "script": {"calls": {"Tokyo?": _asks("Asia/Tokyo"), "Paris?": _asks("Europe/Paris")}},
}


async def test_it_allows_what_it_says_and_tells_the_model_the_rest(tmp_path: Path) -> None:
    """One call waited before it began, one comes while it runs; it ends when it is stopped."""
    program = tmp_path / "approver.py"
    program.write_text(PROGRAM)
    server = ServerProcess(tmp_path / "server", models=[MODEL])
    async with all_of([server]), server.client() as client:
        made = await client.create_conversation(tools=[TIME])
        await client.set_tool_rule(made.workspace_id, TIME, TOOL_RULE_ASK)
        async with client.converse(made.conversation_id) as live:
            tokyo = await live.post("Tokyo?")
            running = await asyncio.create_subprocess_exec(
                *(sys.executable, str(program), server.address, server.key.secret),
                made.conversation_id,
                stdout=asyncio.subprocess.PIPE,
            )
            try:
                async with asyncio.timeout(PATIENCE_S):
                    assert "Asia/Tokyo" in (await tokyo.result()).text
                    paris = await (await live.post("Paris?")).result()
            finally:
                running.terminate()
                said, _ = await running.communicate()
    assert "only Asia" in paris.text
    assert said.decode().splitlines() == [f"{TIME}: approved", f"{TIME}: denied"]
