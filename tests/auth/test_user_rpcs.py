"""The RPCs about accounts, as operators see them."""

from google.protobuf.field_mask_pb2 import FieldMask

from antiphon.auth.v1 import auth_pb2
from antiphon.auth.v1 import auth_service_pb2 as pb
from antiphon_server.runtime.errors import Reason
from tests.auth.api import Api


async def test_users_are_listed_in_pages_by_name(api: Api) -> None:
    """Pages join; a token of another prefix, another list or another making is refused."""
    await api.make("zoe", "ann", "anton", "bob", "ana")
    token = await api.token()
    seen: list[str] = []
    request = pb.ListUsersRequest(page_size=2, name_prefix="AN")
    while True:
        page = await api.call("ListUsers", request, token)
        seen += [user.name for user in page.users]
        request.page_token = page.next_page_token
        if not request.page_token:
            break
    assert seen == ["ana", "ann", "anton"]
    everybody = await api.call("ListUsers", pb.ListUsersRequest(page_size=5), token)
    assert [user.name for user in everybody.users] == ["ana", "ann", "anton", "bob", "local"]
    for bad in (everybody.next_page_token, "x", "é", "AAAA"):
        wrong = pb.ListUsersRequest(page_token=bad, name_prefix="an")
        assert await api.why("ListUsers", wrong, token) is Reason.PAGE_TOKEN_INVALID


async def test_an_operator_changes_an_account(api: Api) -> None:
    """The mask says what; the answer is the account as GetUser finds it by id and by name."""
    await api.make("ann")
    token = await api.token()
    user_id = (await api.call("GetUser", pb.GetUserRequest(name="Ann"), token)).user.user_id
    wanted, mask = auth_pb2.User(disabled=True, operator=True), FieldMask(paths=["disabled"])
    request = pb.UpdateUserRequest(user_id=user_id, user=wanted, update_mask=mask)
    changed = (await api.call("UpdateUser", request, token)).user
    assert (changed.disabled, changed.operator) == (True, False)
    assert changed.kind == auth_pb2.USER_KIND_PERSON
    for which in (pb.GetUserRequest(user_id=user_id), pb.GetUserRequest(name="ann")):
        assert (await api.call("GetUser", which, token)).user == changed
    nobody = pb.GetUserRequest(name="nobody")
    assert await api.why("GetUser", nobody, token) is Reason.NOT_FOUND


async def test_a_mask_names_what_may_be_changed(api: Api) -> None:
    """Nothing else, and not nothing: the refusal names the field and what it may hold."""
    await api.make("ann")
    token = await api.token()
    user_id = (await api.sign_in("ann")).user.user_id
    for paths in ((), ("name",), ("display_name", "kind"), ("*",), ("operator.x",)):
        request = pb.UpdateUserRequest(user_id=user_id, user=auth_pb2.User())
        request.update_mask.paths.extend(paths)
        refused = await api.refused("UpdateUser", request, token)
        assert refused.reason is Reason.INVALID_ARGUMENT
        (violation,) = refused.violations
        assert violation.field == "update_mask"
        assert "display_name, operator, disabled" in violation.description
