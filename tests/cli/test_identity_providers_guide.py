"""docs/guides/identity-providers.md, done as it says, and what its commands refuse."""

import asyncio
import json
import os
import re

import pytest

from antiphon_server.app import running
from antiphon_server.auth.model.identity_providers import IdentityProviderSettings
from antiphon_server.cli.paths import SERVER_FILE
from antiphon_server.settings import Settings, read_settings
from tests.cli.conftest import Home
from tests.e2e.readme import commands, run
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "identity-providers.md"


@pytest.fixture
def settings(home: Home, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings that the guide shows, read from the environment as a server does."""
    shown = re.search(r"^```json providers\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    assert shown is not None
    monkeypatch.setenv("ANTIPHON_IDENTITY_PROVIDERS", shown[1])
    for each in json.loads(shown[1]):
        monkeypatch.setenv(each["client_secret_env"], "hunter2")
    return read_settings(data_dir=home.data_dir, port=0, admin_port=0, model="scripted/echo")


def test_the_settings_are_good(settings: Settings) -> None:
    """They are read as they stand, and every field has a line in the table."""
    assert [each.name for each in settings.identity_providers] == ["google", "contoso"]
    listed = set(re.findall(r"^\| `(\w+)` \|", GUIDE.read_text(), re.MULTILINE))
    assert listed == set(IdentityProviderSettings.__struct_fields__)


async def test_an_operator_links_and_unlinks(home: Home, settings: Settings) -> None:
    """The commands do what the guide says, without asking the provider."""
    async with running(settings) as app:
        address = f"127.0.0.1:{app.port}"
        told = json.dumps({"address": address, "pid": os.getpid()})
        (home.data_dir / SERVER_FILE).write_text(told)
        variables = {**home.environment, "ANTIPHON_ADDRESS": address}
        done = await asyncio.to_thread(run, commands("link", GUIDE), variables)
    assert [ran.exit_code for ran in done] == [0] * 4, done
    line = r"google +https://accounts\.google\.com +110169484474386276334 +never"
    assert [bool(re.search(line, ran.output)) for ran in done] == [False, True, True, False]
    assert "Unlinked." in done[3].output


async def test_what_is_not_linked_is_not_unlinked(home: Home, settings: Settings) -> None:
    """Another user's identity least of all."""
    async with running(settings) as app:
        address = ("--address", f"127.0.0.1:{app.port}")
        link = ("users", "link", "anna", "--provider", "google", "--subject", "1", *address)
        unlink = ("users", "unlink", "local", "--subject", "1", *address)
        make = ("users", "create", "anna", "--no-password", *address)
        done = [await asyncio.to_thread(home.run, *words) for words in (make, link, unlink)]
    assert [ran.returncode for ran in done] == [0, 0, 1]
    assert "local has no such identity" in done[2].stderr
