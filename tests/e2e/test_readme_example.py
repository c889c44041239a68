"""What the README shows in Python works as it stands, with the model of the first command."""

import asyncio
import re
import sys
from pathlib import Path

from tests.e2e.server import ServerProcess
from tests.proofs.bench.processes import ROOT

[EXAMPLE] = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.S | re.M)
LOCAL = {"name": "local/smollm2-135m", "kind": "local", "context_tokens": 8192}


async def test_the_python_example_prints_a_streamed_answer(tmp_path: Path) -> None:
    """Run as a file by a user whose data folder is the server's."""
    async with ServerProcess(tmp_path / "server", models=[LOCAL]) as server:
        key = server.key.secret
        program = tmp_path / "example.py"
        program.write_text(
            re.sub(
                r'if __name__ == "__main__":.*',
                f"asyncio.run(main({server.address!r}, {key!r}))\n",
                EXAMPLE,
                flags=re.S,
            )
        )
        running = await asyncio.create_subprocess_exec(
            sys.executable,
            str(program),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            said, complained = await running.communicate()
    assert (running.returncode, complained) == (0, b"")
    answer, facts = said.decode().strip().rsplit("\n", 1)
    assert "Paris" in answer
    assert re.fullmatch(r"\(local/smollm2-135m, \d+ tokens\)", facts)


def test_the_example_is_short() -> None:
    """Twenty lines or so: more would say that the client is clumsy."""
    lines = [line for line in EXAMPLE.splitlines() if line.strip()]
    assert len(lines) <= 22
