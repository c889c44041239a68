"""Indexes over some of a table's rows, as each database is told of them."""

from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, create_mock_engine

from antiphon_server.runtime.storage.partial_index import partial_index


@pytest.mark.parametrize("url", ["sqlite://", "postgresql+asyncpg://"])
def test_every_database_indexes_some_of_the_rows(url: str) -> None:
    """The condition stands in the statement that makes the index."""
    metadata = MetaData()
    table = Table("jobs", metadata, Column("state", Integer))
    partial_index("jobs_open", table.c.state, where="state < 4")
    statements: list[str] = []

    def note(statement: Any, *_: Any, **__: Any) -> None:
        statements.append(str(statement.compile(dialect=engine.dialect)))

    engine = create_mock_engine(url, note)
    metadata.create_all(engine, checkfirst=False)
    assert statements[-1] == "CREATE INDEX jobs_open ON jobs (state) WHERE state < 4"
