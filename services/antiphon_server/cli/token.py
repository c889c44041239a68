"""``antiphon token``."""

from antiphon_server.cli.console import print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json


def token(json: Json = False, address: Address = "", data_dir: DataDir = None) -> None:
    """Print an access token, for tools such as grpcurl.

    On the server's machine the operator's key in the data directory buys it; elsewhere the
    login does (`antiphon login`). It works for some minutes.

    For example:

    - `TOKEN=$(antiphon token)`
    - `grpcurl -plaintext -H "authorization: Bearer $TOKEN" localhost:7450 list`
    """
    found, seconds = run(_token(address, data_dir))
    if json:
        print_json({"access_token": found, "seconds": int(seconds)})
    else:
        say(found)


async def _token(address: Address, data_dir: DataDir) -> tuple[str, float]:
    from antiphon_server.cli.connect import client_for

    async with client_for(address, data_dir, end_session=False) as client:
        found = await client.tokens.get()
        return found, client.tokens.usable_for
