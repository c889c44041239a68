"""Every store of the context service keeps the same promises: each test runs on all."""

from antiphon_server.context.adapters.sql import SqlStore
from antiphon_server.context.adapters.tables import metadata
from tests.fakes.databases import on_each_kind

store = on_each_kind(SqlStore, metadata)
