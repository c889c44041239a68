"""Whether remote filters can look: each is asked about a word that means nothing."""

from collections.abc import Sequence

from antiphon.context.v1.filter_pb2 import Filter
from antiphon_client import Client
from antiphon_server.cli.rules.options import these

_SAID = "hello"


async def blind(client: Client, parent: str, filters: Sequence[Filter]) -> Sequence[str]:
    """A sentence for each remote one that can't look now, and why."""
    asked = [it for it in filters if it.WhichOneof("kind") == "remote" and not it.disabled]
    return [said for it in asked for said in await faults(client, parent, [it])]


async def faults(client: Client, parent: str, filters: Sequence[Filter] = ()) -> Sequence[str]:
    """A sentence for each of a parent's that can't look now; of others in place of them.

    Behind one that fails closed no other is asked.
    """
    tried = await client.try_filters(parent, _SAID, filters=filters)
    return [
        f"{it.filter} {these(parent)} can't look now ({it.failure}): "
        + ("nothing is said until it can" if tried.refused else "all passes it until it can")
        for it in tried.verdicts
        if it.failure and it.parent == parent
    ]
