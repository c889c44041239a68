"""What commands say of an identity provider that is left alone."""

import asyncio
import json
import time

import aiohttp
import pytest

from antiphon_server.app import running
from antiphon_server.settings import read_settings
from tests.auth.oidc.issuer import CLIENT, SECRET, Issuer
from tests.auth.oidc.outage import outage
from tests.cli.conftest import Home
from tests.e2e.until import until_it

STATE = "antiphon_identity_provider_breaker_state"


async def test_a_provider_that_is_left_alone_is_told(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a browser is opened, by the doctor, in health and metrics; the server serves on."""
    monkeypatch.setenv("ACME_SECRET", SECRET)
    async with Issuer(time.time) as issuer:
        acme = {"name": "acme", "issuer": issuer.issuer, "client_id": CLIENT}
        settings = read_settings(
            data_dir=home.data_dir,
            port=0,
            admin_port=0,
            model="scripted/echo",
            identity_providers=[acme | {"client_secret_env": "ACME_SECRET"}],
        )
        async with running(settings) as app:
            address = f"127.0.0.1:{app.port}"
            await outage(address, issuer)
            login = await asyncio.to_thread(home.run, "login", "--browser", "-a", address)
            doctor = await asyncio.to_thread(home.run, "doctor", "--json", "-a", address)
            async with home.client(address) as client:

                async def is_told() -> bool:
                    parts = await client.health(["identity_provider.acme"])
                    return parts[""] and not parts["identity_provider.acme"]

                await until_it(is_told)
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{app.admin_port}/metrics") as answer,
            ):
                metrics = (await answer.text()).splitlines()
    assert login.returncode == 1
    assert "acme has failed too often, so nobody is sent there for" in login.stderr
    found = [json.loads(line) for line in doctor.stdout.splitlines()]
    told = [it for it in found if it["check"] == "identity provider"]
    assert [it["verdict"] for it in told] == ["note"]
    assert told[0]["found"].startswith("acme has failed too often, so the server sends nobody")
    assert f'{STATE}{{provider="acme",state="open"}} 1.0' in metrics
