"""What has to be there before a change can be asked for."""

import uuid
from collections.abc import Awaitable, Callable, Mapping

from antiphon.auth.v1.access_pb2 import ROLE_MEMBER
from antiphon_client import Client
from tests.e2e.contracts import Rpc
from tests.e2e.smallest import SAMPLE, Ids, smallest

Prepare = Callable[[Client, Ids], Awaitable[dict[str, str]]]


async def _somebody(client: Client, known: Ids) -> dict[str, str]:
    return {"user": (await client.create_user(f"u-{uuid.uuid4().hex}")).user_id}


async def _member(client: Client, known: Ids) -> dict[str, str]:
    ids = await _somebody(client, known)
    for resource in (known["conv"], known["ws"]):
        await client.add_member(resource, ids["user"], ROLE_MEMBER)
    return ids


async def _key(client: Client, known: Ids) -> dict[str, str]:
    return {"key": (await client.new_api_key(SAMPLE)).api_key.key_id}


async def _message(client: Client, known: Ids) -> dict[str, str]:
    return {"msg": (await client.post_message(known["conv"], SAMPLE)).message_id}


async def _notice(client: Client, known: Ids) -> dict[str, str]:
    return {"ntc": (await client.publish_notice(SAMPLE)).notice_id}


async def _identity(client: Client, known: Ids) -> dict[str, str]:
    ids, subject = await _somebody(client, known), uuid.uuid4().hex
    await client.link_identity(ids["user"], SAMPLE, subject)
    return {**ids, "subject": subject}


OWN: Mapping[str, Prepare] = {"key": _key, "msg": _message, "ntc": _notice, "user": _somebody}
"""By its prefix, what each change is asked of for the first time: another one is made for it."""
PREPARED: Mapping[str, Prepare] = {
    "RemoveMember": _member,
    "UnlinkIdentity": _identity,
    "UpdateMember": _member,
}
"""By the RPC's name, what else has to be there."""


async def prepared(client: Client, known: Ids, rpc: Rpc) -> dict[str, str]:
    """Make it; ids by their prefixes, and values of fields by their names."""
    if prepare := PREPARED.get(rpc.method.name):
        return await prepare(client, known)
    request = str(smallest(rpc.request_type, known, rpc.access.resource_field))
    made: dict[str, str] = {}
    for prefix, make in OWN.items():
        if known[prefix] in request:
            made |= await make(client, known)
    return made
