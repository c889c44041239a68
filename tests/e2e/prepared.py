"""What has to be there before a change can be asked for."""

import uuid
from collections.abc import Awaitable, Callable, Mapping

from antiphon.auth.v1.access_pb2 import ROLE_MEMBER
from antiphon_client import Client
from tests.e2e.smallest import SAMPLE, Ids

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


async def _identity(client: Client, known: Ids) -> dict[str, str]:
    ids, subject = await _somebody(client, known), uuid.uuid4().hex
    await client.link_identity(ids["user"], SAMPLE, subject)
    return {**ids, "subject": subject}


# By the RPC's name; one that needs nothing is not among them.
PREPARED: Mapping[str, Prepare] = {
    "AddMember": _somebody,
    "CreatePasswordReset": _somebody,
    "LinkIdentity": _somebody,
    "RemoveMember": _member,
    "RevokeApiKey": _key,
    "UnlinkIdentity": _identity,
    "UpdateMember": _member,
}


async def prepared(client: Client, known: Ids, name: str) -> dict[str, str]:
    """Make it; ids by their prefixes, and values of fields by their names."""
    prepare = PREPARED.get(name)
    return await prepare(client, known) if prepare else {}
