"""Accounts in stores."""

from dataclasses import replace

from antiphon_server.auth.model import UserKind
from antiphon_server.auth.ports import Stores
from antiphon_server.auth.ports.security_events import unrecorded
from antiphon_server.auth.service.login import admit
from antiphon_server.runtime.access.principal import UserId
from antiphon_server.runtime.errors import Reason
from tests.contract.auth_store.world import ANN, BOB, people, refusal
from tests.e2e.refusals import Refused


async def test_a_user_is_found_by_id_and_name(stores: Stores) -> None:
    """What was stored comes back whole; what was not is None."""
    await stores.users.add(ANN, None, unrecorded)
    await stores.users.add(BOB, None, unrecorded)
    assert await stores.users.get(ANN.user_id) == ANN
    assert await stores.users.find("bob") == BOB
    assert await stores.users.find("eve") is None
    assert await stores.users.get(UserId("user_00000009")) is None


async def test_an_account_of_a_kind_to_come_is_listed(stores: Stores) -> None:
    """What a newer server has made is no mistake, and nobody signs in to it here."""
    newer = replace(BOB, kind=UserKind(9))
    await stores.users.add(newer, None, unrecorded)
    assert await stores.users.get(newer.user_id) == newer
    with Refused(Reason.USER_DISABLED):
        admit(newer)


async def test_names_are_found_by_ids(stores: Stores) -> None:
    """Those of all who exist, in one go; nobody else's."""
    await people(stores)
    ids = [ANN.user_id, UserId("user_nobody00"), BOB.user_id, ANN.user_id]
    assert await stores.users.names_of(ids) == {ANN.user_id: "Ann", BOB.user_id: "Bob"}
    assert await stores.users.names_of([]) == {}


async def test_a_name_belongs_to_one_user(stores: Stores) -> None:
    """The second user of a name is refused, and nothing of it is stored."""
    await stores.users.add(ANN, None, unrecorded)
    other = replace(BOB, name="ann")
    assert await refusal(stores.users.add(other, None, unrecorded)) is Reason.ALREADY_EXISTS
    assert await stores.users.get(other.user_id) is None


async def test_a_password_hash_is_replaced_only_if_unchanged(stores: Stores) -> None:
    """A stronger hash of an old password never undoes a change of password."""
    await stores.users.add(ANN, None, unrecorded)
    await stores.users.replace_password_hash(ANN.user_id, "other", "new")
    assert await stores.users.get(ANN.user_id) == ANN
    await stores.users.replace_password_hash(ANN.user_id, "hash", "new")
    assert await stores.users.get(ANN.user_id) == replace(ANN, password_hash="new")
