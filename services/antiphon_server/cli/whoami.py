"""``antiphon whoami``."""

from antiphon_server.cli.console import print_json, run
from antiphon_server.cli.options import Address, DataDir, Json

_HEADINGS = ("user", "name", "is")


def whoami(json: Json = False, address: Address = "", data_dir: DataDir = None) -> None:
    """Say who you are to the server: your user_id, by which others can add you, and your name.

    For example:

    - `antiphon whoami`
    - `antiphon whoami --json | jq -r .user.user_id`
    """
    run(_whoami(json, address, data_dir))


async def _whoami(json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.table import print_table
    from antiphon_server.cli.users import what_is

    async with client_for(address, data_dir) as client:
        me = await client.who_am_i()
    if json:
        print_json(as_dict(me))
    else:
        print_table(_HEADINGS, [(me.user.user_id, me.user.name, what_is(me.user))])
