"""Each store of identity."""

from antiphon_server.auth.adapters.sql import sql_stores
from antiphon_server.auth.adapters.tables import metadata
from tests.fakes.databases import on_each_kind

stores = on_each_kind(sql_stores, metadata)
