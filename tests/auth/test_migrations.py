"""What the migrations do beyond making the tables that the stores use."""

import runpy
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, create_engine, insert, inspect, select

from antiphon_server.auth.adapters.account_tables import sessions
from antiphon_server.auth.adapters.audit_tables import security_events
from antiphon_server.auth.adapters.tables import metadata
from antiphon_server.auth.descriptor import AUTH


def run(connection: Connection, step: str) -> None:
    """Run one step of every version, in its order."""
    context = MigrationContext.configure(connection)
    files = sorted(AUTH.schema().versions.glob("*.py"), reverse=step == "downgrade")
    with Operations.context(context):
        for file in files:
            runpy.run_path(str(file))[step]()


def test_what_the_migrations_made_they_take_away_again(tmp_path: Path) -> None:
    """Of all tables none is left."""
    with create_engine(f"sqlite:///{tmp_path / 'test.db'}").begin() as connection:
        run(connection, "upgrade")
        assert set(metadata.tables) <= set(inspect(connection).get_table_names())
        run(connection, "downgrade")
        assert inspect(connection).get_table_names() == []


def test_what_ran_out_and_was_told_of_is_not_told_of_again(tmp_path: Path) -> None:
    """The versions before told of what ran out before their newest event."""
    times = {"told": 50, "untold": 150, "live": 10**18}
    with create_engine(f"sqlite:///{tmp_path / 'test.db'}").begin() as connection:
        context = MigrationContext.configure(connection)
        with Operations.context(context):
            for file in sorted(AUTH.schema().versions.glob("*.py")):
                if file.name.startswith("0012"):
                    _fill(connection, times)
                runpy.run_path(str(file))["upgrade"]()
        found = connection.execute(select(sessions.c.session_id, sessions.c.end_time))
        assert {row.session_id: row.end_time for row in found} == {
            "told": 50,
            "untold": None,
            "live": None,
        }


def _fill(connection: Connection, times: dict[str, int]) -> None:
    event = {"sequence": 1, "kind": 1, "user_id": "u", "actor": "a", "create_time": 100}
    hashes = {"body": b"", "previous_hash": b"", "hash": b"", "seal": b""}
    connection.execute(insert(security_events), event | hashes)
    whose = {"refresh_hash": b"", "user_id": "u", "device": "d", "announced": True, "generation": 0}
    for name, time in times.items():
        when = dict.fromkeys(("create_time", "last_use_time", "rotate_time"), 1)
        ends = {"session_id": name, "expire_time": time, "final_expire_time": time}
        connection.execute(insert(sessions), ends | when | whose)
