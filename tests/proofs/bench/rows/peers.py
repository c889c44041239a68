"""Others that do what the server does, measured in the same run: installed for it, or left out."""

import asyncio
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.proofs.bench.processes import ROOT, environment
from tests.proofs.bench.servers import Floor

A2A_SDK = "a2a-sdk[grpc]==1.3.0"
FETCH_S = 120.0
_ASKED = """
import a2a, pathlib
from a2a.types import Message, Part, Role, SendMessageRequest
said = Message(message_id="m", role=Role.ROLE_USER, parts=[Part(text="say it")])
request = SendMessageRequest(message=said).SerializeToString()
print(pathlib.Path(a2a.__file__).parents[1], request.hex())
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who it is, the folder of its packages, and the call that asks it for a turn.

    ``request`` is in hexadecimal digits.
    """

    name: str
    packages: str
    path: str
    request: str

    def serving(self, home: Path, model_url: str) -> Floor:
        """It, on a bare grpc.aio server, before this model."""
        return Floor(home, f"a2a={model_url}", packages=self.packages)


async def a2a_sdk() -> Peer | None:
    """The agent in floors/a2a.py, on what uv has or fetches; None where it can't have it."""
    if (uv := shutil.which("uv")) is None:
        return None
    with_it = (uv, "run", "--no-sync", "--with", A2A_SDK, "python", "-c", _ASKED)
    asked = await asyncio.create_subprocess_exec(
        *with_it,
        cwd=ROOT,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(FETCH_S):
            said, why = await asked.communicate()
    except TimeoutError:
        asked.kill()
        said, why = await asked.communicate()
    if asked.returncode:
        print(f"without {A2A_SDK}: {why.decode()[-300:].strip()}", file=sys.stderr)
        return None
    packages, request = said.decode().split()
    return Peer("a2a-sdk", packages, "/lf.a2a.v1.A2AService/SendStreamingMessage", request)
