"""Whether what a server says was durable before it said it, read from its trace.

A *mark* is a unique text. It is durable once a write to the log of the database carried it
and a sync of that file, begun after that write had returned, has succeeded. A sync that
failed makes nothing durable, nor does the next one: the kernel may have dropped what it
could not write, so only a new write followed by a new sync counts.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

SYNCS = frozenset({b"fdatasync", b"fsync"})
STORES = frozenset({b"pwrite64", b"write"})
SENDS = frozenset({b"sendmsg", b"sendto", b"sendmmsg", b"write", b"writev"})
MOST_SHOWN = 50
TAIL = 120
_BEGUN = re.compile(rb"(\d+) +(\w+)\((.*)", re.DOTALL)
_RESUMED = re.compile(rb"(\d+) +<\.\.\. (\w+) resumed>(.*)", re.DOTALL)
_RESULT = re.compile(rb"\) += (-?\d+)[^\n\"]*\n?$")
_SIZE = re.compile(rb'", (\d+)(?:, \d+)?(?: <unfinished \.\.\.>|\) += [^"\n]*)\n?$')
_FILE = re.compile(rb"\d+<([^>]*)>")
_BETWEEN_SLICES = re.compile(rb'", iov_len=\d+\}, \{iov_base="')
# In the store a turn's id counts as a field of a serialised event, which has its length
# before it ("(" is 40): the turns' own table has it earlier, without one.
_STORED = re.compile(rb"\(turn_(Mkt\d{8}z)|(Mk[a-s]\d{8}z)")
_SAID = re.compile(rb"Mk[a-z]\d{8}z")


def turn_mark(number: int) -> str:
    """A turn's id that is a mark, ``Mkt…z``: 40 characters."""
    return f"turn_{text_mark('t', number)}".ljust(40, "x")


def text_mark(kind: str, number: int) -> str:
    """A text that is a mark; the kind is a letter, not "t"."""
    return f"Mk{kind}{number:08d}z"


@dataclass(slots=True)
class _Call:
    name: bytes
    arguments: bytes
    covers: frozenset[bytes] = frozenset()


@dataclass(slots=True)
class Order:
    """Reads a trace line by line; ``early`` is what was said too soon.

    ``port`` is the server's. ``said`` counts the marks' appearances on its connections.
    """

    port: int
    wal: bytes = b"-wal"
    early: list[str] = field(default_factory=list)
    said: Counter[bytes] = field(default_factory=Counter)
    durable: set[bytes] = field(default_factory=set)
    syncs: int = 0
    failed_syncs: int = 0
    _unsynced: set[bytes] = field(default_factory=set)
    _open: dict[bytes, _Call] = field(default_factory=dict)

    def read(self, lines: Iterable[bytes]) -> "Order":
        """Take the lines of a trace, in their order."""
        for line in lines:
            self._take(line)
        return self

    def _take(self, line: bytes) -> None:
        begun = _BEGUN.match(line)
        if begun is not None:
            thread, name, rest = begun.groups()
            call = _Call(name, rest)
            self._begin(call)
            if rest.rstrip().endswith(b"<unfinished ...>"):
                self._open[thread] = call
            else:
                self._end(call, rest)
        elif (resumed := _RESUMED.match(line)) is not None:
            done = self._open.pop(resumed[1], None)
            if done is not None:
                self._end(done, resumed[3])

    def _begin(self, call: _Call) -> None:
        if call.name in SYNCS and self._of_wal(call):
            call.covers = frozenset(self._unsynced)
        elif call.name in SENDS and self._to_client(call):
            self._say(_BETWEEN_SLICES.sub(b"", call.arguments))

    def _end(self, call: _Call, rest: bytes) -> None:
        result = _RESULT.search(rest[-TAIL:])
        value = int(result[1]) if result else -1
        if not self._of_wal(call):
            return
        if call.name in STORES:
            size = _SIZE.search(call.arguments[-TAIL:])
            if size is not None and value == int(size[1]):
                marks = {b"".join(found) for found in _STORED.findall(call.arguments)}
                self._unsynced |= marks - self.durable
        elif call.name in SYNCS:
            self.syncs += 1
            self._unsynced -= call.covers
            if value == 0:
                self.durable |= call.covers
            else:
                self.failed_syncs += 1

    def _say(self, data: bytes) -> None:
        for mark in _SAID.findall(data):
            self.said[mark] += 1
            if mark not in self.durable and len(self.early) < MOST_SHOWN:
                self.early.append(f"{mark.decode()} was said before it was durable")

    def _of_wal(self, call: _Call) -> bool:
        file = _FILE.match(call.arguments)
        return file is not None and file[1].endswith(self.wal)

    def _to_client(self, call: _Call) -> bool:
        """Whether the socket's own end is the server's port."""
        end = call.arguments[:200].partition(b"->")[0]
        return b"<TCP" in end and end.endswith(b":%d" % self.port)
