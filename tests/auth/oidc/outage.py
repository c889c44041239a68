"""An outage of an identity provider, as a server sees it."""

from contextlib import suppress

from antiphon_client import AntiphonError
from antiphon_client.provider_login import ProviderLogin
from tests.auth.oidc.issuer import Issuer
from tests.auth.oidc.rig import REDIRECT


async def outage(address: str, issuer: Issuer) -> None:
    """Have whoever signs in fail there, until the server has its only provider left alone."""
    issuer.down = {"token"}
    async with ProviderLogin(address) as login:
        while not (await login.methods()).providers[0].unavailable:
            started = await login.start("", REDIRECT)
            back = await issuer.browse(started.authorization_url)
            with suppress(AntiphonError):
                await login.finish(started, back["code"], back["state"], back["iss"])
    issuer.down = set()
