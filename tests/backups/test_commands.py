"""``antiphon backup`` and ``antiphon restore``."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose server has run."""
    home = Home(tmp_path)
    with home.server():
        pass
    return home


def test_a_backup_comes_back(home: Home) -> None:
    """The commands say what is in it, what is not, and where the old data went."""
    folder = home.path / "backups"
    made = home.run("backup", "--to", str(folder), "--keep", "3")
    assert made.returncode == 0, made.stderr
    path, _, said = made.stdout.partition(": ")
    assert "read back" in said
    assert f"Not in it: the installation's secret ({home.data_dir / 'auth.key'})" in made.stdout
    assert "It is whole: what was stored at " in home.run("restore", "--check", path).stdout
    refused = home.run("restore", path)
    assert refused.returncode == 1
    assert "with --replace it is set aside" in refused.stderr
    done = home.run("restore", "--replace", path)
    assert done.returncode == 0, done.stderr
    assert "What was there before is in" in done.stdout
    (home.data_dir / "auth.key").unlink()
    again = home.run("restore", "--replace", path)
    assert "in development a new one is made, and everybody has to sign in again" in again.stderr
    with home.server():
        assert (home.data_dir / "auth.key").exists()
    other = home.run("restore", "--replace", path)
    assert "put that one back before you start, or the server will not" in other.stderr
    assert "with another secret than this one" in home.run("up", "--port", "0").stderr


def test_a_backup_goes_through_a_pipe(home: Home) -> None:
    """To whatever tool stores it; cut short, it is refused when it comes back."""
    sent, cut = home.path / "sent.tar", home.path / "cut.tar"
    command = [sys.executable, "-m", "antiphon_server", "backup", "--to", "-"]
    with sent.open("wb") as file:
        done = subprocess.run(
            command,
            env={**os.environ, **home.environment},
            stdout=file,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 0
    assert b"Sent what was stored at" in done.stderr
    assert home.run("restore", "--check", str(sent)).returncode == 0
    cut.write_bytes(sent.read_bytes()[:-30000])
    refused = home.run("restore", "--check", str(cut))
    assert refused.returncode == 1
    assert "this is no whole backup" in refused.stderr


def test_a_sealed_backup_goes_through_a_pipe(home: Home) -> None:
    """Its key stays here. How many are kept is for who knows that it has arrived."""
    sent, keys = home.path / "sent.tar.sealed", str(home.path / "keys")
    command = f"{sys.executable} -m antiphon_server backup --to - --keys {keys} > {sent}"
    variables = {**os.environ, **home.environment}
    done = subprocess.run(["sh", "-c", command], env=variables, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "It is whole" in home.run("restore", "--check", str(sent), "--keys", keys).stdout
    whole = home.run("restore", "--check", str(sent), ANTIPHON_BACKUP_KEYS=keys)
    assert "It is whole" in whole.stdout
    unnamed = home.run("restore", "--check", str(sent))
    assert unnamed.returncode == 1
    assert "say by --keys in which folder that is" in unnamed.stderr
    kept = home.run("backup", "--to", "-", "--keep", "3")
    assert kept.returncode == 1
    assert "remove older ones, and their keys, after that" in kept.stderr


def test_what_can_not_be_backed_up_is_a_sentence(tmp_path: Path) -> None:
    """No data, no folder that can be made."""
    home = Home(tmp_path)
    none = home.run("backup", "--to", str(tmp_path / "backups"))
    assert none.returncode == 1
    assert "antiphon.db is not there: say where the data is by --data-dir" in none.stderr
    (tmp_path / "file").touch()
    with home.server():
        refused = home.run("backup", "--to", str(tmp_path / "file" / "backups"))
    assert "Make it, as root: `install -d -m 700 -o" in refused.stderr
