"""The judge of traces finds what was said before it was durable."""

from collections.abc import Sequence

import pytest

from tests.proofs.robustness.disk.order import Order, text_mark, turn_mark

PORT = 7450
MARK = text_mark("p", 1)
TURN = turn_mark(1)
WAL = "8</data/antiphon.db-wal>"
CLIENT = "20<TCPv6:[[::ffff:127.0.0.1]:7450->[::ffff:127.0.0.1]:39300]>"
MODEL = "21<TCP:[127.0.0.1:51000->127.0.0.1:8080]>"


def stored(data: str = MARK, result: str = "400") -> str:
    return f'7 pwrite64({WAL}, "\\n\\f{data}\\0\\"x", 400, 8192) = {result}'


def said(data: str = MARK, to: str = CLIENT) -> str:
    return f'5 sendmsg({to}, {{msg_iov=[{{iov_base="\\n\\f{data}", iov_len=14}}]}}, 0) = 14'


SYNCED = f"7 fdatasync({WAL})                   = 0"
SYNC_BEGUN = f"7 fdatasync({WAL} <unfinished ...>"
SYNC_ENDED = "7 <... fdatasync resumed>)          = 0"
SYNC_FAILED = f"7 fdatasync({WAL}) = -1 EIO (Input/output error) (INJECTED)"


def judged(*lines: str) -> Order:
    return Order(PORT).read(f"{line}\n".encode() for line in lines)


@pytest.mark.parametrize(
    "lines",
    [
        [stored(), SYNCED, said()],
        [stored(), SYNC_BEGUN, SYNC_ENDED, said()],
        [stored(), SYNC_FAILED, stored(), SYNCED, said()],
        [stored(), SYNCED, stored(), SYNC_FAILED, said()],
        [stored(), said(to=MODEL), SYNCED, said()],
        [stored("(" + TURN), SYNCED, said(TURN)],
    ],
    ids=["synced", "slowly", "again", "known before", "to the model", "a turn"],
)
def test_what_was_synced_may_be_said(lines: Sequence[str]) -> None:
    """Said after its write and a sync that succeeded, a mark is right."""
    order = judged(*lines)
    assert order.early == []
    assert order.said.total() >= 1


@pytest.mark.parametrize(
    "lines",
    [
        [said()],
        [stored(), said(), SYNCED],
        [stored(), SYNC_BEGUN, said(), SYNC_ENDED],
        [SYNC_BEGUN, stored(), SYNC_ENDED, said()],
        [stored(), SYNC_FAILED, said()],
        [stored(), SYNC_FAILED, SYNCED, said()],
        [stored(result="-1 ENOSPC (No space left on device)"), SYNCED, said()],
        [stored(result="24"), SYNCED, said()],
        [stored().replace("-wal", ""), SYNCED, said()],
        [stored(), SYNCED.replace("-wal", ""), said()],
        [stored(TURN), SYNCED, said(TURN)],
    ],
    ids=[
        "never stored",
        "before the sync",
        "during the sync",
        "stored during the sync",
        "the sync failed",
        "a sync after one that failed",
        "the write failed",
        "the write was short",
        "another file written",
        "another file synced",
        "a turn whose event is not stored",
    ],
)
def test_what_was_not_synced_must_not_be_said(lines: Sequence[str]) -> None:
    """Said any earlier, it is found."""
    assert len(judged(*lines).early) == 1


def test_a_mark_in_two_slices_is_seen() -> None:
    """What is sent in pieces is put together before it is searched."""
    cut = '", iov_len=7}, {iov_base="'
    line = said(MARK[:5] + cut + MARK[5:])
    assert len(judged(line).early) == 1
