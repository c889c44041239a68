"""docs/guides/production.md on a clean machine: to the letter, as root and as the service's user.

What the guide writes is what is run, so the two can't differ; what systemd makes of its units,
``unit.py`` does.
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e import readme
from tests.e2e.until import PATIENCE_S
from tests.installed.clean_root import CHECKOUT, CleanRoot
from tests.installed.test_production_guide import GUIDE, PASSWORD
from tests.installed.unit import Unit
from tests.proofs.bench.processes import ROOT

HOST = "chat.example.org"
ENVIRONMENT = "/etc/antiphon/environment"
SERVICE = "/etc/systemd/system/antiphon.service"
BACKUP = "/etc/systemd/system/antiphon-backup.service"
BACKUPS = "/var/backups/antiphon"
DATABASE = "/var/lib/antiphon/antiphon.db"
RESTORE = f"set -a; . {ENVIRONMENT}; set +a; /opt/antiphon/bin/antiphon restore"
NEWER = '''"""A version to come."""

revision = "0099"
down_revision = "{before}"


def upgrade() -> None:
    """What it changes is not known here."""
'''

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, which makes users")


def block(mark: str) -> str:
    found = re.search(rf"^```\w+ {mark}\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None, mark
    return found[1]


class Walk:
    """Whoever follows the guide."""

    def __init__(self, root: CleanRoot, logs: Path) -> None:
        self.root = root
        self._logs = logs
        self.user = "root"

    def do(self, mark: str, folder: str = "/", *, outside: bool = False, **variables: str) -> str:
        """A block of commands, as the user of now; each has to end well. Returns what it said."""
        commands = readme.commands(mark, GUIDE)
        if commands[-1].startswith("runuser"):
            *commands, become = commands
            self.say("\n".join(commands), outside=outside)
            self.user = become.split()[2]
            return ""
        path = readme.commands("path", GUIDE)
        script = "\n".join([f"cd {folder}", *path, *commands])
        return self.say(script, self.user, outside=outside, **variables)

    def say(
        self, script: str, user: str = "root", *, outside: bool = False, **variables: str
    ) -> str:
        done = self.root.run(script, user, outside=outside, **variables)
        assert done.returncode == 0, f"{script}\n{done.stdout}"
        return done.stdout

    def write(self, path: str, mark: str) -> None:
        """A file that the guide shows, as root."""
        self.root.path(path).write_text(block(mark))

    def unit(self, path: str) -> Unit:
        return Unit(self.root, path, self._logs / Path(path).name)


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    """At the guide's beginning."""
    for each in tmp_path.parents[:3]:
        each.chmod(0o755)
    tmp_path.chmod(0o755)
    folder = tmp_path / "machine"
    folder.mkdir()
    with CleanRoot(folder, HOST).mounted() as root:
        yield Walk(root, tmp_path)


def serving(unit: Unit, root: CleanRoot) -> None:
    """Start it, and return when it serves."""
    where = root.path("/var/lib/antiphon/server.json")
    where.unlink(missing_ok=True)
    unit.start()
    until(lambda: where.exists() or unit.exit_code is not None)
    assert unit.exit_code is None, unit.log


def refused(unit: Unit) -> str:
    """Start what can't start: systemd leaves it at that, and its log's last line says why."""
    unit.run()
    assert unit.is_final, unit.log
    return str([json.loads(line) for line in unit.log.splitlines()][-1]["message"])


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def backups(root: CleanRoot) -> list[str]:
    return sorted(path.name for path in root.path(BACKUPS).iterdir())


def newer_version(folder: Path, root: CleanRoot) -> str:
    """A checkout of a version to come, with a change of tables."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    for name in listed.stdout.decode().split("\0"):
        if name.startswith(("tests/", "docs/")) or not (ROOT / name).is_file():
            continue
        target = root.path(f"/opt/newer/{name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    versions = root.path("/opt/newer/services/antiphon_server/events/adapters/migrations/versions")
    newest = max(path.name[:4] for path in versions.glob("[0-9]*.py"))
    (versions / "0099_newer.py").write_text(NEWER.format(before=newest))
    return "/opt/newer"


@pytest.mark.needs("openssl")
def test_the_guide_is_followed_to_the_letter(walk: Walk, tmp_path: Path) -> None:
    """Install, TLS, two nights' backups, a loss and a restore, a newer version and the way back."""
    root = walk.root
    walk.do("install", CHECKOUT, outside=True)
    walk.do("user")
    assert walk.user == "antiphon"
    walk.do("certificate")
    walk.do("secret")
    walk.write(ENVIRONMENT, "environment")
    with root.path(ENVIRONMENT).open("a") as file:
        file.write("ANTIPHON_MODEL=scripted/test\n")  # for section 5's, one that needs no key
    assert "would start in production: yes" in walk.do("check")

    walk.write(SERVICE, "unit")
    walk.write(BACKUP, "backup-unit")
    service, backup = walk.unit(SERVICE), walk.unit(BACKUP)
    try:
        serving(service, root)
        assert "you are local" in walk.do("healthy")
        walk.do("first-user", ANTIPHON_NEW_PASSWORD=PASSWORD)
        _sign_in(walk)
        _two_nights(walk, backup)
        assert service.stop() == 0, service.log
        assert all(json.loads(line) for line in service.log.splitlines())
        _lose_and_restore(walk, service)
        assert "hello" in _said(walk)
        service.stop()
        _there_and_back(walk, service, backup, newer_version(tmp_path, root))
        assert "hello" in _said(walk)
        assert service.stop() == 0
    finally:
        service.kill()


def _sign_in(walk: Walk) -> None:
    """Where Anna is, with what is no secret."""
    walk.say(
        "install -d -o antiphon /tmp/anna; install -o antiphon /etc/antiphon/ca.pem /tmp/anna/"
    )
    assert "as anna" in walk.do("sign-in", "/tmp/anna", ANTIPHON_PASSWORD=PASSWORD)
    chat = f"antiphon chat --once hello -a https://{HOST}:7450"
    _as_anna(walk, chat)
    assert "hello" in _said(walk)


def _said(walk: Walk) -> str:
    return _as_anna(walk, f"antiphon conversations -a https://{HOST}:7450")


def _as_anna(walk: Walk, command: str) -> str:
    path = readme.commands("path", GUIDE)
    return walk.say("\n".join(["cd /tmp/anna", *path, command]), walk.user)


def _two_nights(walk: Walk, backup: Unit) -> None:
    """By the timer's unit: each is the service's user's, and nobody else can read it."""
    assert "OnCalendar=*-*-* 03:00" in block("backup-timer")
    for night in (1, 2):
        assert backup.run() == 0, backup.log
        assert len(backups(walk.root)) == night
    for path in walk.root.path(BACKUPS).iterdir():
        assert path.stat().st_mode & 0o077 == 0
        assert walk.say(f"stat -c %U {BACKUPS}/{path.name}").strip() == "antiphon"


def _lose_and_restore(walk: Walk, service: Unit) -> None:
    """A lost database is not begun anew, root's is said to be root's, the guide brings it back."""
    root = walk.root
    root.path(DATABASE).unlink()
    assert "nothing new is begun in its place" in refused(service)
    newest = f"{BACKUPS}/{backups(root)[-1]}"
    walk.say(f"cd /var/lib/antiphon && tar --no-same-owner -xf {newest} antiphon.db")
    said = refused(service)
    assert f"{DATABASE} belongs to root, and this runs as antiphon" in said
    mends = re.search("`(chown .*)`", said)
    assert mends is not None
    walk.say(mends[1])
    serving(service, root)
    assert service.stop() == 0
    walk.do("restore")
    serving(service, root)
    beside = root.run(f"{RESTORE} --replace {newest}")
    assert "another server uses it" in beside.stdout
    service.stop()
    walk.say(f"{RESTORE} --replace {newest}")
    assert walk.say("find /var/lib/antiphon ! -user antiphon") == ""
    serving(service, root)


def _there_and_back(walk: Walk, service: Unit, backup: Unit, newer: str) -> None:
    """What a newer version has changed, the one of before leaves alone."""
    assert backup.run() == 0, backup.log
    before = f"{BACKUPS}/{backups(walk.root)[-1]}"
    install = readme.commands("install", GUIDE)[-1]
    walk.say(f"cd {newer}\n{install}", outside=True)
    serving(service, walk.root)
    assert "hello" in _said(walk)
    service.stop()
    assert backup.run() == 0, backup.log
    of_newer = f"{BACKUPS}/{backups(walk.root)[-1]}"
    walk.say(f"cd {CHECKOUT}\n{install}", outside=True)
    assert "written by a newer version of Antiphon" in refused(service)
    shown = walk.root.run(f"{RESTORE} --replace {of_newer}", walk.user)
    assert shown.returncode == 1
    assert "made by a newer version of Antiphon" in shown.stdout
    walk.say(f"{RESTORE} --replace {before}", walk.user)
    serving(service, walk.root)
