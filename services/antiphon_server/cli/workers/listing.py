"""``antiphon workers list`` and ``permissions``."""

from antiphon_server.cli.accounts import Names
from antiphon_server.cli.console import print_json, run, say
from antiphon_server.cli.options import Address, DataDir, Json
from antiphon_server.cli.workers.options import Where, asking_for, parent_of

_PERMITTED = ("handler", "user", "name", "since", "by")
_TIME = "%Y-%m-%d %H:%M"


def list_workers(
    workspace: Where = "", json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """List the workers that are there: what they serve, what they do, and how quick they are.

    `turns` is how many of its places are taken; `accepts in`, how long it takes to say that it
    works on one, at the median.

    For example:

    - `antiphon workers list`
    - `antiphon workers list --workspace ws_… --json`
    """
    run(show_workers(workspace, json, address, data_dir))


def permissions(
    workspace: Where = "", json: Json = False, address: Address = "", data_dir: DataDir = None
) -> None:
    """List whose workers may serve which handlers.

    For example:

    - `antiphon workers permissions`
    - `antiphon workers permissions --workspace ws_…`
    """
    run(_show_permissions(workspace, json, address, data_dir))


async def show_workers(workspace: str, json: bool, address: str, data_dir: DataDir) -> None:
    """Print those that are there."""
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict
    from antiphon_server.cli.table import print_table
    from antiphon_server.cli.workers.rows import HEADINGS, row_of

    async with client_for(address, data_dir) as client:
        with asking_for(workspace):
            found = [it async for it in client.list_workers(parent_of(workspace))]
    if json:
        for it in found:
            print_json(as_dict(it))
        return
    if found:
        print_table(HEADINGS, map(row_of, found), whole=True)
    else:
        say("None is there. `antiphon workers invite HANDLER` lets one in.", err=True)


async def _show_permissions(workspace: str, json: bool, address: str, data_dir: DataDir) -> None:
    from antiphon_server.cli.connect import client_for
    from antiphon_server.cli.encoding import as_dict, local_time
    from antiphon_server.cli.table import print_table

    rows = []
    async with client_for(address, data_dir) as client:
        names = Names(client)
        with asking_for(workspace):
            found = [it async for it in client.list_worker_permissions(parent_of(workspace))]
        for it in found:
            if json:
                print_json(as_dict(it))
                continue
            creator = it.creator.removeprefix("users/")
            name, by = await names.of(it.user_id), await names.of(creator) or creator
            since = local_time(it.create_time, _TIME)
            rows.append((it.handler, it.user_id, name, since, by))
    if rows:
        print_table(_PERMITTED, rows, whole=True)
    elif not json:
        say("Nobody's may serve anything. `antiphon workers invite HANDLER` lets one in.", err=True)
