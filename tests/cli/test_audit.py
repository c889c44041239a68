"""The commands of ``antiphon audit``, and the guide that shows them."""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from antiphon.auth.v1.audit_service_pb2 import ExportSecurityEventsResponse
from antiphon_server.cli.audit.check import check, keys_in
from antiphon_server.cli.audit.writer import ExportFile
from antiphon_server.cli.console import CommandError
from tests.cli.conftest import Home, Run
from tests.e2e.readme import commands, run
from tests.repository.files import ROOT

GUIDE = ROOT / "docs" / "guides" / "audit.md"


def exported(antiphon: Run, path: Path) -> list[dict[str, Any]]:
    """An export's lines."""
    done = antiphon("audit", "export", str(path))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_newest_events_are_shown(antiphon: Run) -> None:
    """As lines that people read, and as JSON."""
    shown = antiphon("audit", "tail", "-n", "2")
    assert shown.returncode == 0, shown.stderr
    assert len(shown.stdout.splitlines()) == 2
    parsed = antiphon("audit", "tail", "--json", "--kind", "user_created").stdout.splitlines()
    assert json.loads(parsed[0])["user_created"]["name"] == "local"
    assert "there is no kind 'x'" in antiphon("audit", "tail", "--kind", "x").stderr


def test_nobody_is_taken_for_what_else_stands_in_a_line(antiphon: Run) -> None:
    """An account may be called like an address, or like the actor of what strangers do."""
    for name in ("anonymous", "192.0.2.1"):
        antiphon("users", "create", name, "--no-password")
        (line,) = antiphon("audit", "tail", "--user", name).stdout.splitlines()
        words = line.split()
        assert {"users/local", f"users/{name}", f"name={name}"} <= set(words)
        assert name not in words


def test_events_are_followed(antiphon: Run, shared_home: Home) -> None:
    """Behind the newest that it begins with, what happens while it runs is shown, once."""
    following = subprocess.Popen(
        [sys.executable, "-m", "antiphon_server", "audit", "tail", "-f", "-n", "1", "--json"],
        env={**os.environ, **shared_home.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    overdue = threading.Timer(60, following.kill)  # ends what is read here
    overdue.start()
    try:
        assert following.stderr is not None
        assert following.stdout is not None
        assert "following" in following.stderr.readline()
        newest = json.loads(following.stdout.readline())
        antiphon("keys", "create", "followed")
        happened = json.loads(following.stdout.readline())
        assert int(happened["sequence"]) == int(newest["sequence"]) + 1
        assert happened["actor"].startswith("users/")
    finally:
        overdue.cancel()
        following.terminate()
        following.communicate(timeout=10)


def test_an_export_goes_on_where_it_was_killed(antiphon: Run, tmp_path: Path) -> None:
    """Half a line is cut off; every event is there once, and all heads hold."""
    path = tmp_path / "events.jsonl"
    first = exported(antiphon, path)
    assert path.stat().st_mode & 0o077 == 0
    whole = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(whole[:3]) + whole[3][:40])
    again = exported(antiphon, path)
    events = [line["event"]["sequence"] for line in again if "event" in line]
    assert [int(sequence) for sequence in events] == list(range(1, len(events) + 1))
    assert len(events) >= len(first) - 1
    exported(antiphon, path)
    assert sum("head" in json.loads(line) for line in path.read_text().splitlines()) == 2
    said = antiphon("audit", "verify", str(path), "--json")
    assert json.loads(said.stdout)["ok"]


@pytest.fixture(scope="module")
def export(shared_home: Home, address: str, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The lines of an export."""
    path = tmp_path_factory.mktemp("export") / "events.jsonl"
    exported(shared_home.run, path)
    return path.read_text().splitlines()


def changed(line: str, **values: Any) -> str:
    """The line with other values."""
    return json.dumps(json.loads(line) | values)


def nested(line: str, field: str, **values: Any) -> str:
    """The line with other values in one of its objects."""
    return changed(line, **{field: json.loads(line)[field] | values})


Harm = Callable[[list[str]], list[str]]
HARMS: dict[str, tuple[Harm, int, str]] = {
    "what people read": (
        lambda it: [it[0], nested(it[1], "event", actor="users/x"), *it[2:]],
        2,
        "was changed",
    ),
    "the body": (
        lambda it: [it[0], changed(it[1], body=json.loads(it[2])["body"]), *it[2:]],
        2,
        "was changed",
    ),
    "the hash": (lambda it: [it[0], changed(it[1], hash="00" * 32), *it[2:]], 2, "was changed"),
    "an event gone": (lambda it: [it[0], *it[2:]], 2, "missing"),
    "the first gone": (lambda it: it[1:], 1, "missing"),
    "two swapped": (lambda it: [it[0], it[2], it[1], *it[3:]], 2, "missing"),
    "one twice": (lambda it: [it[0], it[1], it[1], *it[2:]], 3, "missing"),
    "garbage": (lambda it: [it[0], "{}", *it[2:]], 2, "neither an event nor a head"),
    "no JSON": (lambda it: [it[0], "?", *it[2:]], 2, "neither an event nor a head"),
    "another signature": (
        lambda it: [*it[:-1], nested(it[-1], "head", signature="a.b.c")],
        -1,
        "no known key",
    ),
    "no key": (lambda it: [*it[:-1], changed(it[-1], keys=[])], -1, "no known key"),
    "another number": (lambda it: [*it[:-1], nested(it[-1], "head", sequence=1)], -1, "changed"),
    "the tail gone": (lambda it: [*it[:-2], it[-1]], -1, "missing before this head"),
    "no head": (lambda it: it[:-1], 0, "no head behind the last event"),
}


@pytest.mark.parametrize("harm", HARMS)
def test_a_changed_file_is_refused_by_line(export: list[str], tmp_path: Path, harm: str) -> None:
    """Whatever was done to it, the first wrong line is named."""
    do, line, sentence = HARMS[harm]
    path, lines = tmp_path / "events.jsonl", do(export)
    path.write_text("\n".join(lines) + "\n")
    found = check(path, None)
    assert found.line == {-1: len(lines), 0: len(lines) + 1}.get(line, line)
    assert sentence in found.problem


def test_only_given_keys_count(antiphon: Run, export: list[str], tmp_path: Path) -> None:
    """A head by keys that were kept is good; with other keys it is nobody's."""
    path, kept = tmp_path / "events.jsonl", tmp_path / "keys.json"
    path.write_text("\n".join(export) + "\n")
    kept.write_text(json.dumps({"keys": json.loads(export[-1])["keys"]}))
    assert check(path, keys_in(kept)).problem == ""
    with pytest.raises(CommandError, match="can't be read: No such file"):
        keys_in(tmp_path / "none.json")
    kept.write_text(json.dumps({"keys": []}))
    said = antiphon("audit", "verify", str(path), "--keys", str(kept), "--json")
    found = json.loads(said.stdout)
    assert (said.returncode, found["ok"], found["line"]) == (1, False, len(export))
    assert "no known key" in said.stderr


def test_an_export_overwrites_nothing_else(antiphon: Run, tmp_path: Path) -> None:
    """A file that is no export is left as it is."""
    path = tmp_path / "letter.txt"
    path.write_text("Dear Anna,\n")
    assert "is no export" in antiphon("audit", "export", str(path)).stderr
    assert path.read_text() == "Dear Anna,\n"


@pytest.mark.parametrize("harm", ["what people read", "the body", "an event gone", "no key"])
def test_a_changed_export_is_not_gone_on_with(
    antiphon: Run, export: list[str], tmp_path: Path, harm: str
) -> None:
    """The line is named, and the file left as it is."""
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(HARMS[harm][0](export)) + "\n")
    before = path.read_bytes()
    refused = antiphon("audit", "export", str(path))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert HARMS[harm][2] in refused.stderr
    assert "Nothing was added" in refused.stderr
    assert path.read_bytes() == before


def test_an_export_of_another_server_is_not_gone_on_with(
    antiphon: Run, export: list[str], tmp_path: Path, home: Home
) -> None:
    """One history does not follow from another, though each is whole."""
    path = tmp_path / "events.jsonl"
    path.write_text(export[0] + "\n")
    with home.server():
        refused = home.run("audit", "export", str(path))
    assert refused.returncode == 1
    assert "the file is of another server" in refused.stderr
    assert path.read_text() == export[0] + "\n"


@pytest.mark.parametrize("there", [True, False])
def test_two_exports_never_add_to_one_file(export: list[str], tmp_path: Path, there: bool) -> None:
    """The second is refused before it reads what is there, or before it adds to a new file."""
    path = tmp_path / "events.jsonl"
    sent, answer = [json.loads(line) for line in export], ExportSecurityEventsResponse()
    for line in sent[1:-1] if there else sent[:-1]:
        hashes = {name: bytes.fromhex(line[name]) for name in ("previous_hash", "hash")}
        answer.events.add(body=base64.b64decode(line["body"]), **hashes)
    if there:
        path.write_text(export[0] + "\n")
        with ExportFile(path) as first:
            with pytest.raises(CommandError, match="another export is adding to"):
                ExportFile(path)
            first.add(answer)
    else:
        with ExportFile(path) as first:
            with ExportFile(path) as second:
                second.add(answer)
                with pytest.raises(CommandError, match="another export is adding to"):
                    first.add(answer)
            with pytest.raises(CommandError, match="another export is adding to"):
                first.add(answer)
    assert path.read_text().splitlines() == export[:-1]
    with ExportFile(path) as again:
        assert again.last == len(export) - 1


def test_a_refused_export_leaves_no_file(antiphon: Run, tmp_path: Path) -> None:
    """Whoever may not export finds nothing that looks like one."""
    key = antiphon("keys", "create", "reader", "--scope", "read").stdout.strip()
    path = tmp_path / "events.jsonl"
    refused = antiphon("audit", "export", str(path), ANTIPHON_API_KEY=key)
    assert (refused.returncode, path.exists()) == (1, False)


def test_the_guides_commands_do_what_it_says(
    shared_home: Home, address: str, tmp_path: Path
) -> None:
    """They run as they stand; what was tampered with is refused."""
    variables = {**shared_home.environment, "PWD": str(tmp_path)}
    blocks = [commands(mark, GUIDE) for mark in ("audit", "audit-export", "audit-tampered")]
    done = run([f"cd {tmp_path}", *(line for block in blocks for line in block)], variables)
    codes = {ran.command: ran.exit_code for ran in done}
    assert codes.pop("antiphon audit verify changed.jsonl") == 1
    assert codes.pop("antiphon audit verify shortened.jsonl") == 1
    assert set(codes.values()) == {0}, done
    outputs = {ran.command: ran.output for ran in done}
    assert "line 1: the event was changed" in outputs["antiphon audit verify changed.jsonl"]
    assert "line 1: events are missing" in outputs["antiphon audit verify shortened.jsonl"]
    assert "in order" not in outputs["antiphon audit verify shortened.jsonl"]
    assert "goes on from the file's head" in outputs["antiphon audit verify events.jsonl --server"]
