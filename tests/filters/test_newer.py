"""Filters of a newer server, or of one that has more installed, say what they were told to."""

from collections.abc import Sequence

import pytest

from antiphon.context.v1 import filter_pb2
from antiphon_server.filters.answers import _finders
from antiphon_server.filters.chain import Chain
from antiphon_server.filters.encoding import filter_message, filter_of
from antiphon_server.filters.finding.model import Found
from antiphon_server.filters.model import Action, Filter, Injection, Kind, Newer, Terms, Verdict
from antiphon_server.filters.ports import Looks
from antiphon_server.filters.screening import look
from antiphon_server.runtime.errors import Reason, invalid
from tests.e2e.refusals import Refused
from tests.fakes.newer import VALUE, newer
from tests.filters.test_chain import ORIGIN, chain, words


def of_a_newer_server(*, fails_open: bool, **said: object) -> Filter:
    """A filter as this server reads it."""
    said = {"action": filter_pb2.FILTER_ACTION_BLOCK, **said}
    message = newer("context.v1.Filter")(name="new", **said)
    message.on_failure = (
        filter_pb2.FILTER_FAILURE_OPEN if fails_open else filter_pb2.FILTER_FAILURE_CLOSED
    )
    if "terms" not in said:
        message.newer.text = "of the kind"
    return filter_of(filter_pb2.Filter.FromString(message.SerializeToString()))


@pytest.mark.parametrize("said", [{}, {"action": VALUE, "terms": {"terms": ["bad"]}}])
@pytest.mark.parametrize("fails_open", [True, False])
async def test_what_it_can_not_do_here_is_as_declared(
    said: dict[str, object], fails_open: bool
) -> None:
    """Its kind, or what becomes of what it finds; those before and behind it look."""
    them = [words("cut", Action.SANITISE, "bad"), of_a_newer_server(fails_open=fails_open, **said)]
    seen = await look([chain(*them)], ["a bad word"], ORIGIN)
    assert seen.texts == ["a [term] word"]
    failed = Verdict(ORIGIN.workspace_id, "new", Action.PASS, failure="FILTER_UNAVAILABLE")
    assert (seen.refused, seen.verdicts[1]) == (not fails_open, failed)


def test_a_kind_that_is_not_known_is_told_as_none() -> None:
    """Who reads the filters here and sets them again is refused: nothing is lost by it."""
    it = of_a_newer_server(fails_open=False)
    assert it.kind == Newer()
    assert filter_message(it).WhichOneof("kind") is None


def test_an_answer_that_can_not_be_looked_at_is_not_shown() -> None:
    """Unless the filter says that it may be."""
    with Refused(Reason.FILTER_UNAVAILABLE):
        _finders(of_a_newer_server(fails_open=False))
    assert list(_finders(of_a_newer_server(fails_open=True))) == []


async def test_what_is_not_installed_here_is_as_declared() -> None:
    """A filter that stands since another server has more; here it could not be set."""

    def eyes(kind: Kind) -> Looks:
        if isinstance(kind, Injection):
            raise invalid("filters.injection", "install it")
        return _found_nothing

    closed = Filter("model", Action.BLOCK, Injection())
    for it, refused in (
        (closed, True),
        (Filter("m", Action.BLOCK, Injection(), fails_open=True), False),
    ):
        ready = Chain("global", 1, [Filter("a", Action.FLAG, Terms(("x",))), it], eyes)
        assert ready.broken is not None
        seen = await look([ready], ["hello"], ORIGIN)
        assert (seen.refused, seen.verdicts[0].failure) == (refused, "INVALID_ARGUMENT")


async def _found_nothing(texts: Sequence[str], origin: object) -> Sequence[Found]:
    return []
