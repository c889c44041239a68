"""What keeps a server from starting is said in a sentence, with what to do."""

import asyncio
import base64
import shutil
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from antiphon_server.app import running
from antiphon_server.app.control_plane import running_mesh
from antiphon_server.app.local_stores import with_stores
from antiphon_server.cli.main import app
from antiphon_server.cli.start_failures import why_not
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.nodes import OtherSecret
from antiphon_server.runtime.process.lifecycle import Lifecycle
from antiphon_server.runtime.rpc.server import CannotListen
from antiphon_server.runtime.storage.data_dir_lock import DataDirUnusable
from antiphon_server.runtime.storage.database import DatabaseUnusable
from antiphon_server.settings import Settings, read_settings
from tests.cli.conftest import Home
from tests.fakes.postgres import Postgres


def settings_of(folder: Path, **more: str) -> Settings:
    return read_settings(data_dir=folder, port=0, admin_port=0, model="scripted/test", **more)


async def serve_a_moment(folder: Path, **more: str) -> None:
    async with running(settings_of(folder, **more)):
        pass


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a server that has run."""
    folder = tmp_path_factory.mktemp("used") / "data"
    asyncio.run(serve_a_moment(folder))
    return folder


def _exposed(folder: Path) -> None:
    (folder / "auth.key").chmod(0o644)


def _emptied(folder: Path) -> None:
    (folder / "auth.key").write_bytes(b"")


def _no_database(folder: Path) -> None:
    (folder / "antiphon.db").write_bytes(b"garbage" * 5000)


def _hurt_pages(folder: Path) -> None:
    database = folder / "antiphon.db"
    content = bytearray(database.read_bytes())
    for page in range(4096, len(content), 4096):
        content[page : page + 16] = b"\xff" * 16
    database.write_bytes(content)


def _revision_lost(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "antiphon.db")) as database:
        database.execute("DELETE FROM alembic_version_events")
        database.commit()


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (_exposed, "auth.key must be a file that only its owner can read: chmod 600"),
        (_emptied, "auth.key holds no secret; put the file back from a backup, or remove it"),
        (_no_database, "antiphon.db is damaged (file is not a database). Put a backup back"),
        (_hurt_pages, "antiphon.db is damaged (database disk image is malformed). Put a backup"),
        (_revision_lost, "antiphon.db is damaged (alembic_version_events is empty). Put a backup"),
    ],
)
async def test_harm_to_the_data_is_a_sentence(
    used: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    harm: Callable[[Path], None],
    says: str,
) -> None:
    """It names the file and says what to do; no traceback hides it."""
    folder = tmp_path / "data"
    shutil.copytree(used, folder)
    harm(folder)
    with pytest.raises(Exception) as failed:  # noqa: PT011 - what it is, is asked below
        await serve_a_moment(folder)
    assert says in str(why_not(failed.value, settings_of(folder)))
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("name", ["port", "ads_port", "admin_port"])
async def test_a_port_of_the_mesh_that_is_taken_is_named(tmp_path: Path, name: str) -> None:
    """It is a field of ANTIPHON_MESH, and no option."""
    ports = {"port": 0, "ads_port": 0, "inside_port": 0, "edge_port": 0, "envoy": False}
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        ports[name] = stranger.getsockname()[1]
        settings = read_settings(data_dir=tmp_path, mesh=ports)
        with pytest.raises(CannotListen) as failed:
            async with running_mesh(settings):
                pass
    sentence = str(why_not(failed.value, settings))
    assert f"{name} " in sentence.partition("choose another")[2]
    assert sentence.endswith("in ANTIPHON_MESH")


async def test_one_store_is_not_hidden_by_another(used: Path, tmp_path: Path) -> None:
    """Servers that would begin with an empty store beside the data say where the data is."""
    with pytest.raises(DataDirUnusable, match=f"`antiphon migrate --data-dir {used}` takes the da"):
        await with_stores(settings_of(used), Lifecycle(), lambda _part, _state: None)
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    with pytest.raises(DataDirUnusable, match="run `antiphon up --mesh` with --replicas 2"):
        await serve_a_moment(tmp_path)


def test_an_authority_without_its_key_is_told(tmp_path: Path) -> None:
    """What to do, and what it means for all that trust it."""
    runner = CliRunner()
    assert runner.invoke(app, ["certs", str(tmp_path)]).exit_code == 0
    (tmp_path / "ca.key").unlink()
    shown = runner.invoke(app, ["certs", str(tmp_path)])
    assert shown.exit_code == 1
    assert f"{tmp_path / 'ca.key'} is missing: put it back" in shown.stderr


OTHER_SECRET = base64.b64encode(bytes(range(32))).decode()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"secret_key": OTHER_SECRET}, "the data was written with another secret than this one"),
        ({"secret_key_file": "/no.key"}, "ANTIPHON_SECRET_KEY_FILE: /no.key: No such file"),
        ({"secret_key": "c2hvcnQ="}, "ANTIPHON_SECRET_KEY holds no secret; it must be 32 random"),
        ({"tls_cert": "no.pem", "tls_key": "no.key"}, "no.pem or no.key: No such file"),
        ({"breached_passwords_file": "no.txt"}, "breached passwords no.txt can't be used: No such"),
    ],
)
async def test_settings_that_do_not_fit_are_a_sentence(
    used: Path, tmp_path: Path, given: dict[str, str], says: str
) -> None:
    """A secret of other data, none at all, no certificate, no list: what is stored stays."""
    folder = tmp_path / "data"
    shutil.copytree(used, folder)
    with pytest.raises(Exception) as failed:  # noqa: PT011 - what it is, is asked below
        await serve_a_moment(folder, **given)
    sentence = str(why_not(failed.value, settings_of(folder)))
    assert says in sentence
    assert OTHER_SECRET not in sentence
    await serve_a_moment(folder)


async def test_servers_on_one_database_need_one_secret(tmp_path: Path, postgres: Postgres) -> None:
    """A second one would sign everybody out: it is told where the first one's is."""
    url = await postgres.empty_database()
    first, second = tmp_path / "first", tmp_path / "second"
    await serve_a_moment(first, database_url=url)
    with pytest.raises(OtherSecret) as failed:
        await serve_a_moment(second, database_url=url)
    sentence = str(why_not(failed.value, settings_of(second, database_url=url)))
    assert "Give all servers the same ANTIPHON_SECRET_KEY" in sentence
    await serve_a_moment(second, database_url=url, secret_key=(first / "auth.key").read_text())


async def test_a_database_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    """Not a trace, and without the password."""
    url = "postgresql://antiphon:geheim@127.0.0.1:1/antiphon"
    with pytest.raises(DatabaseUnusable) as failed:
        await serve_a_moment(tmp_path, database_url=url)
    sentence = str(why_not(failed.value, settings_of(tmp_path, database_url=url)))
    assert "no Postgres answers at 127.0.0.1:1" in sentence
    assert "correct ANTIPHON_DATABASE_URL" in sentence
    assert "geheim" not in sentence


def test_the_name_of_the_test_user_is_taken(tmp_path: Path) -> None:
    """Somebody's own account of that name is not touched; what to leave away is said."""
    taken = DomainError(Reason.ALREADY_EXISTS, resource="users/test")
    sentence = str(why_not(taken, settings_of(tmp_path)))
    assert "an account `test` that is somebody's own; leave --test-user away" in sentence


def test_the_port_for_metrics_is_named(home: Home) -> None:
    """Who chose another --port is told which one is taken."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        shown = home.run("up", "--port", "0", "--admin-port", port)
    assert shown.returncode == 1
    assert "it is the port for metrics: choose another --admin-port" in shown.stderr
