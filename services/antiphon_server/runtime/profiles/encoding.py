"""Profiles <-> the contract's messages."""

from antiphon.auth.v1.profile_pb2 import Profile as Message
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.profiles.model import FIELDS, NONE, Profile
from antiphon_server.runtime.rpc.times import micros_of, timestamp


def profile_message(it: Profile) -> Message:
    """Encode one."""
    values = {name: getattr(it, name) for name in FIELDS}
    update_time = timestamp(it.update_us) if it.update_us else None
    return Message(
        user_id=it.user_id,
        workspace_id=it.workspace_id,
        etag=it.etag,
        update_time=update_time,
        **values,
    )


def profile_of(message: Message) -> Profile:
    """Decode one."""
    return Profile(
        UserId(message.user_id),
        message.workspace_id,
        message.locale,
        message.time_zone,
        message.call_name,
        tuple(message.preferences),
        dict(message.fields),
        message.etag or NONE,
        micros_of(message, "update_time") or 0,
    )
