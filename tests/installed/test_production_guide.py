"""docs/guides/production.md, done as it says, in a folder of the test's own."""

import asyncio
import configparser
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from antiphon_client import Client, Password, Tls
from tests.e2e import readme
from tests.e2e.readme import Ran
from tests.e2e.server import ServerProcess
from tests.installed.environments import LIMIT_S
from tests.proofs.bench.processes import ROOT, environment, free_port

GUIDE = ROOT / "docs" / "guides" / "production.md"
PASSWORD = "correct horse battery"


@dataclass
class Place:
    """A machine of the guide: its folders are here, its name is localhost.

    Its user is this one: none is made, and none becomes another.
    """

    folder: Path
    port: int = field(default_factory=free_port)

    def here(self, text: str) -> str:
        """The guide's words for this place."""
        for old, new in {
            "/opt/antiphon": f"{self.folder}/opt",
            "/etc/antiphon": f"{self.folder}/etc",
            "/var/lib/antiphon": f"{self.folder}/data",
            "/var/backups": f"{self.folder}/backups",
            "chat.example.org": "localhost",
            ":7450": f":{self.port}",
            "0.0.0.0": "127.0.0.1",
        }.items():
            text = text.replace(old, new)
        return text

    def block(self, mark: str) -> str:
        """A block of the guide, whatever its language."""
        found = re.search(
            rf"^```\w+ {mark}\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE
        )
        assert found is not None, mark
        return self.here(found[1])

    async def run(self, mark: str, **variables: str) -> list[Ran]:
        """Run a block of commands; each has to end well."""
        path = readme.commands("path", GUIDE)
        block = [*path, f"cd {self.folder}", *readme.commands(mark, GUIDE)]
        given = {"XDG_STATE_HOME": f"{self.folder}/state", "NO_COLOR": "1", **variables}
        ran = await asyncio.to_thread(readme.run, list(map(self.here, block)), given)
        assert [it for it in ran if it.exit_code] == []
        return ran

    @property
    def address(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def trust(self) -> Tls:
        return Tls((self.folder / "etc" / "ca.pem").read_bytes())


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    """What the first sections make, and the data of a server of before, with a user.

    Others could reach that one, which its console hinted at.
    """
    place = Place(tmp_path)
    for name in ("etc", "backups"):
        (tmp_path / name).mkdir(mode=0o700)
    blocks = (*readme.commands("install", GUIDE), *readme.commands("weights", GUIDE))
    install = [f"cd {ROOT}", *map(place.here, blocks)]
    ran = await asyncio.to_thread(readme.run, install, {}, LIMIT_S)
    assert [it for it in ran if it.exit_code] == []
    open_to_all = {"ANTIPHON_HOST": "0.0.0.0"}
    async with ServerProcess(tmp_path, variables=open_to_all) as before, before.client() as client:
        await client.create_user("bert", PASSWORD)
        assert "Others can reach this port" in before.output
    return place


@pytest.fixture
async def settled(place: Place) -> Place:
    """Up to the settings."""
    await place.run("certificate")
    await place.run("secret")
    assert len((place.folder / "etc" / "secret.key").read_text().strip()) == 44
    await place.run("move")
    (place.folder / "etc" / "environment").write_text(place.block("environment"))
    return place


@pytest.fixture
async def served(settled: Place) -> AsyncIterator[Place]:
    """The service, as its unit says."""
    unit = _unit(settled.block("unit"))
    program, *arguments = unit["Service"]["ExecStart"].split()
    assert program == str(settled.folder / "opt" / "bin" / "antiphon")
    assert unit["Service"]["EnvironmentFile"] == str(settled.folder / "etc" / "environment")
    variables = dict(line.split("=", 1) for line in settled.block("environment").split())
    log = settled.folder / "log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(program, *arguments),
            *("--port", str(settled.port), "--admin-port", "0", "--model", "scripted/test"),
            cwd=settled.folder,
            env=environment(variables),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        async with asyncio.timeout(60):
            while not (settled.folder / "data" / "server.json").exists():
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(0.05)
        yield settled
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 20) == 0


def _back_up(place: Place, nights: int) -> None:
    """As the timer's unit says, with the service's variables."""
    unit = _unit(place.block("backup-unit"))
    variables = dict(line.split("=", 1) for line in place.block("environment").split())
    for night in range(1, nights + 1):
        command = unit["Service"]["ExecStart"].split()
        subprocess.run(command, env=environment(variables), check=True, timeout=LIMIT_S)
        made = sorted((place.folder / "backups" / "antiphon").iterdir())
        assert len(made) == night
        assert made[-1].stat().st_mode & 0o077 == 0


def _unit(text: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text)
    return unit


@pytest.mark.needs("openssl")
async def test_the_guide_leads_to_a_server(served: Place) -> None:
    """Each block does what its section says: doctor, a user, a sign-in elsewhere, a backup.

    The account of before signs in, with a certificate that is renewed meanwhile, too.
    """
    found = await asyncio.to_thread(
        readme.run, [*map(served.here, readme.commands("path", GUIDE)), "command -v antiphon"], {}
    )
    assert found[-1].output == f"{served.folder}/opt/bin/antiphon"
    checked = (await served.run("check"))[-1].output
    assert "would start in production: yes" in checked
    assert "you are local" in (await served.run("healthy"))[-1].output
    assert "anna" in (await served.run("first-user", ANTIPHON_NEW_PASSWORD=PASSWORD))[-1].output
    shutil.copy(served.folder / "etc" / "ca.pem", served.folder / "ca.pem")
    signed_in = await served.run("sign-in", ANTIPHON_PASSWORD=PASSWORD)
    assert "as anna" in signed_in[-2].output
    await asyncio.to_thread(_back_up, served, 2)
    for _ in range(2):
        bert = Password("bert", PASSWORD)
        async with Client.connect(served.address, bert, tls=served.trust) as client:
            await client.who_am_i()
        await served.run("certificate")


@pytest.mark.parametrize("line", ["TLS_CERT", "SECRET_KEY_FILE"])
def test_no_line_of_the_settings_is_idle(tmp_path: Path, line: str) -> None:
    """Without it the server does not start, and says what to do."""
    lines = Place(tmp_path).block("environment").split()
    kept = [text for text in lines if not text.startswith(f"ANTIPHON_{line}")]
    done = subprocess.run(
        [sys.executable, "-m", "antiphon_server", "up", "--port", "0", "--admin-port", "0"],
        env=environment(dict(text.split("=", 1) for text in kept)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert f"ANTIPHON_{line}" in done.stderr or line.lower() in done.stderr
