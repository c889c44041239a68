"""`antiphon up --mesh --web` with a certificate: the edge speaks TLS."""

import asyncio
import ssl
from pathlib import Path

import aiohttp

from antiphon_server.web.links import make_link
from tests.certificates import Authority
from tests.mesh.up import running_up


async def test_it_serves_by_tls(tmp_path: Path) -> None:
    """It comes up, says where, takes calls, and a link to the page signs in.

    What peers elsewhere would be shown is of no use here: servers are on this machine.
    """
    authority = Authority(tmp_path)
    files = authority.files()
    options = ("--web", "--tls-cert", str(files.certificate), "--tls-key", str(files.key))
    async with running_up(tmp_path, 1, *options, PEER_CA=str(authority.file)) as up:
        assert up.told["address"].startswith("https://127.0.0.1:")
        assert up.told["web"] == up.told["address"] + "/"
        assert up.told["certificate"] == str(files.certificate)
        async with up.client(authority.trust) as client:
            await client.create_conversation("by TLS")
        trust = ssl.create_default_context(cafile=str(authority.file))
        link = {"link": make_link((up.folder / "operator.key").read_text().strip())}
        async with (
            aiohttp.ClientSession() as session,
            session.post(up.told["web"] + "link", json=link, ssl=trust) as answer,
        ):
            assert answer.status == 200
            assert (await answer.json())["accessToken"]
        log = up.folder / "mesh" / "server-1.log"
        # The services' own calls come by an inside port, which says where they are, too.
        assert "x-forwarded-for" not in await asyncio.to_thread(log.read_text)
