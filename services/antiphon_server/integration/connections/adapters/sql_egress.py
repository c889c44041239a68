"""Which hosts workspaces' connections may call, in a SQL database."""

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import bindparam, delete, insert, select

from antiphon.auth.v1.audit_pb2 import EgressRulesChanged
from antiphon_server.integration.connections.adapters.tables import egress_rules
from antiphon_server.integration.connections.model import EgressRules
from antiphon_server.integration.trail.adapters.outbox import Author, resource_of
from antiphon_server.runtime.encoding.ids import new_id
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database

_HERE = egress_rules.c.workspace_id == bindparam("b_workspace_id")
_READ = select(egress_rules).where(_HERE)
_LOCK = _READ.with_for_update()
_DELETE = delete(egress_rules).where(_HERE)


class SqlEgressRules:
    """A :class:`~antiphon_server.integration.connections.ports.EgressStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rules(self, workspace_id: str) -> EgressRules:
        return await self._database.read(lambda it: rules_of(it, workspace_id))

    async def set_rules(self, workspace_id: str, rules: EgressRules) -> EgressRules:
        at, by, resource = {"b_workspace_id": workspace_id}, Author(), resource_of(workspace_id)

        def change(it: SqlConnection) -> EgressRules:
            before = rules_of(it, workspace_id, lock=True)
            if rules.etag and rules.etag != before.etag:
                raise DomainError(Reason.ETAG_MISMATCH, etag=before.etag)
            if rules.hosts == before.hosts:
                return before
            after = replace(rules, etag=new_id("etag"))
            it.execute(_DELETE, at)
            row = {"workspace_id": workspace_id, "etag": after.etag}
            it.execute(insert(egress_rules), {**row, "hosts": msgspec.json.encode(after.hosts)})
            told = EgressRulesChanged(resource=resource, before=before.hosts, after=after.hosts)
            by.note(it, egress_rules_changed=told)
            return after

        return await self._database.write(change)


def rules_of(it: SqlConnection, workspace_id: str, *, lock: bool = False) -> EgressRules:
    """What is stored of a workspace."""
    row = it.execute(_LOCK if lock else _READ, {"b_workspace_id": workspace_id}).one_or_none()
    if row is None:
        return EgressRules()
    return EgressRules(msgspec.json.decode(row.hosts, type=tuple[str, ...]), row.etag)
