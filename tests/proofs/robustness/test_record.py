"""A history that was written down says what it said."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.proofs.robustness.history import History, Reset, Sent, Stop, Told
from tests.proofs.robustness.record import read, room, write
from tests.proofs.robustness.test_ledger_rules import CUT_ANSWER, GUESSED, ledger
from tests.proofs.robustness.test_validators import END, WHOLE, history, reader
from tests.proofs.robustness.validators import violations

FILE = "history.jsonl"


def broken() -> History:
    """A history in which much is wrong."""
    it = ledger([CUT_ANSWER], [GUESSED], deaths=2)
    it.readers = [reader(*WHOLE, told="wö"), reader(*WHOLE[2:])]
    it.readers[0].resets = [Reset(1, 2, 3.0)]
    it.sent = [Sent("hi", "anna", "turn_1", "", [0.5, 1.5], [(2.5, None), (3.5, "msg_q")])]
    it.stops = [Stop("turn_1", "CANCELLED", 3, at=4.5)]
    it.told = [Told("turn_1", "FAILED", "GetTurn", "RUNNING")]
    it.log = [*it.log, replace(END, first=9, last=9)]
    return it


def test_a_written_history_is_read_as_it_was(tmp_path: Path) -> None:
    """Nothing is lost: it is the same, and the same is wrong with it."""
    histories = [broken(), history(reader(*WHOLE))]
    write(tmp_path / FILE, histories)
    again = read(tmp_path / FILE)
    assert again == histories
    assert [violations(it) for it in again] == [violations(it) for it in histories]
    assert violations(again[0])
    assert not violations(again[1])


def test_lines_tell_what_happened_in_its_order(tmp_path: Path) -> None:
    """Who sent and who saw, one after the other."""
    it = broken()
    write(tmp_path / FILE, [it])
    lines = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    told = [name for line in lines for name in ("sent", "seen", "stops") if name in line]
    assert told.index("sent") == told.index("seen") + 2  # each of the two readers has seen one
    assert told.index("stops") > told.index("sent")


@pytest.mark.parametrize("keep", [True, False])
def test_a_room_stays_if_it_is_to_be_kept(keep: bool) -> None:
    """What broke a promise can be looked at."""
    with room() as it:
        (it.home / FILE).touch()
        it.keep = keep
    assert it.home.exists() is keep
    if keep:
        (it.home / FILE).unlink()
        it.home.rmdir()
