"""What users want to be known by, as they and operators set it."""

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from antiphon.auth.v1 import audit_pb2, audit_service_pb2
from antiphon.auth.v1 import auth_service_pb2 as auth_pb
from antiphon.auth.v1 import profile_service_pb2 as pb
from antiphon.auth.v1.profile_pb2 import Profile as Message
from antiphon_server.auth.service.profile_words import line_of, locale_of, time_zone_of
from antiphon_server.runtime.cache.cache import MemoryCache
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.profiles.known import KnownProfiles
from antiphon_server.runtime.profiles.model import Profile
from tests.auth.api import Api

WS = "ws_00000001"


def _update(where: str = "", etag: str = "", **given: Any) -> pb.UpdateProfileRequest:
    return pb.UpdateProfileRequest(
        workspace_id=where,
        etag=etag,
        update_mask=FieldMask(paths=list(given)),
        **given,
    )


async def _set(api: Api, token: str, request: pb.UpdateProfileRequest) -> Message:
    answer: pb.UpdateProfileResponse = await api.call("UpdateProfile", request, token)
    return answer.profile


async def _get(api: Api, token: str, where: str = "") -> pb.GetProfileResponse:
    request = pb.GetProfileRequest(workspace_id=where)
    answer: pb.GetProfileResponse = await api.call("GetProfile", request, token)
    return answer


async def test_what_a_workspace_has_stands_in_front(api: Api) -> None:
    """Of each field what is set there, else everywhere; of free fields each key by itself."""
    await api.make("ann")
    token = await api.token("ann")
    everywhere: dict[str, Any] = {
        "locale": "pt-br",
        "time_zone": "europe/lisbon",
        "fields": {"a": "1", "b": "2"},
    }
    await _set(api, token, _update(**everywhere))
    await _set(api, token, _update(WS, time_zone="Asia/Tokyo", fields={"b": "3"}))
    found = (await _get(api, token, WS)).effective
    assert (found.locale, found.time_zone) == ("pt-BR", "Asia/Tokyo")
    assert dict(found.fields) == {"a": "1", "b": "3"}
    assert found.etag == ""
    assert (await _get(api, token)).effective.time_zone == "Europe/Lisbon"
    assert (await _get(api, token, WS)).profile.locale == ""


async def test_an_update_changes_what_it_names_once(api: Api) -> None:
    """The same again changes nothing, also by an old etag; another by an old etag is refused."""
    await api.make("ann")
    token = await api.token("ann")
    nothing = (await _get(api, token)).profile
    assert nothing.etag == "none"
    assert not nothing.HasField("update_time")
    first = await _set(api, token, _update(etag="none", call_name=" Ann\n B. "))
    assert first.call_name == "Ann B."
    assert first.HasField("update_time")
    assert await _set(api, token, _update(etag="none", call_name="Ann B.")) == first
    stale = _update(etag="none", locale="de")
    assert await api.why("UpdateProfile", stale, token) is Reason.ETAG_MISMATCH
    lines = _update(etag=first.etag, preferences=["short", " ", "short"])
    second = await _set(api, token, lines)
    assert list(second.preferences) == ["short"]
    assert second.call_name == "Ann B."
    gone = await _set(api, token, _update(call_name="", preferences=[]))
    assert gone == nothing


async def test_what_is_no_language_zone_or_field_is_refused(api: Api) -> None:
    """The refusal names the field."""
    await api.make("ann")
    token = await api.token("ann")
    for request, field in (
        (_update(locale="german!"), "locale"),
        (_update(time_zone="Europe/Nowhere"), "time_zone"),
        (_update(time_zone="../etc/passwd"), "time_zone"),
        (_update(fields={"No": "1"}), "fields['No']"),
        (_update(), "update_mask"),
    ):
        refused = await api.refused("UpdateProfile", request, token)
        assert refused.reason is Reason.INVALID_ARGUMENT
        assert [it.field for it in refused.violations] == [field]
    assert (await _get(api, token)).profile.etag == "none"


async def test_nobody_but_operators_sees_anothers(api: Api) -> None:
    """To everybody else an account of another is none, to read, to change and to take away."""
    await api.make("ann", "bob")
    ann, bob, operator = await api.token("ann"), await api.token("bob"), await api.token()
    user_id = (await api.call("GetUser", auth_pb.GetUserRequest(name="ann"), operator)).user.user_id
    await _set(api, ann, _update(locale="de"))
    mask = FieldMask(paths=["locale"])
    for method, request in (
        ("GetProfile", pb.GetProfileRequest(user_id=user_id)),
        ("UpdateProfile", pb.UpdateProfileRequest(user_id=user_id, update_mask=mask)),
        ("DeleteProfile", pb.DeleteProfileRequest(user_id=user_id, all=True)),
    ):
        assert await api.why(method, request, bob) is Reason.NOT_FOUND
    asked = pb.GetProfileRequest(user_id=user_id)
    assert (await api.call("GetProfile", asked, operator)).profile.locale == "de"
    nobody = pb.DeleteProfileRequest(user_id="user_nobody00")
    assert await api.why("DeleteProfile", nobody, operator) is Reason.NOT_FOUND


async def test_all_of_it_can_be_taken_away_and_the_trail_says_no_words(api: Api) -> None:
    """Nothing is left in any place; recorded is which fields, and not what they said."""
    await api.make("ann")
    token, operator = await api.token("ann"), await api.token()
    await _set(api, token, _update(call_name="Canary", locale="de"))
    await _set(api, token, _update(WS, call_name="Canary"))
    both = pb.DeleteProfileRequest(all=True, workspace_id=WS)
    assert await api.why("DeleteProfile", both, token) is Reason.INVALID_ARGUMENT
    for _ in range(2):
        await api.call("DeleteProfile", pb.DeleteProfileRequest(all=True), token)
    for where in ("", WS):
        assert (await _get(api, token, where)).effective.call_name == ""
    kinds = [audit_pb2.SECURITY_EVENT_KIND_PROFILE_CHANGED]
    which = audit_service_pb2.SecurityEventFilter(kinds=kinds)
    asked = audit_service_pb2.ListSecurityEventsRequest(filter=which)
    told = (await api.call("ListSecurityEvents", asked, operator)).events
    assert "Canary" not in str(told)
    details = [it.profile_changed for it in told]
    assert sorted((it.workspace_id, it.deleted, len(it.fields)) for it in details) == [
        ("", False, 2),
        ("", True, 2),
        (WS, False, 1),
        (WS, True, 1),
    ]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("de", "de"),
        ("PT_br", "pt-BR"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("sl-rozaj-biske-1994", "sl-rozaj-biske-1994"),
        ("de-de-u-co-phonebk", "de-DE-u-co-phonebk"),
        ("", ""),
    ],
)
def test_languages_are_kept_as_they_are_written(said: str, kept: str) -> None:
    """BCP 47, in any case."""
    assert locale_of(said) == kept


@pytest.mark.parametrize("said", ["d", "german", "de--DE", "de-", "dé", "de;q=1", "x" * 64])
def test_what_is_no_language_is_refused(said: str) -> None:
    """As the field that it is of."""
    with pytest.raises(DomainError) as refused:
        locale_of(said)
    assert refused.value.violations[0].field == "locale"


async def test_zones_are_those_that_any_server_knows() -> None:
    """In any case; a system's own names are none."""
    assert await time_zone_of("america/argentina/buenos_aires") == "America/Argentina/Buenos_Aires"
    assert await time_zone_of(" utc ") == "UTC"
    with pytest.raises(DomainError):
        await time_zone_of("localtime")


def test_a_line_commands_no_terminal() -> None:
    """What separates words is one space, what controls is gone."""
    assert line_of("a\r\n b\u2028c\x1b[31md\u202e") == "a b c[31md"


async def test_what_is_remembered_goes_when_it_changes() -> None:
    """And what was read before a change isn't kept behind it; nothing set is remembered, too."""
    known, ann = KnownProfiles(MemoryCache()), Profile("user_1", "", "de", fields={"a": "1"})  # type: ignore[arg-type]
    places = [("user_1", ""), ("user_1", "ws_1")]
    found, lease = await known.of(places)
    assert found == {}
    none = Profile(ann.user_id, "ws_1")
    await known.keep({places[0]: ann, places[1]: none}, 60, lease)
    assert (await known.of(places))[0] == {places[0]: ann, places[1]: none}
    await known.forget(ann.user_id, "")
    found, late = await known.of(places)
    assert found == {places[1]: none}
    await known.forget(ann.user_id, "")
    await known.keep({places[0]: ann}, 60, late)
    assert (await known.of(places))[0] == {places[1]: none}
