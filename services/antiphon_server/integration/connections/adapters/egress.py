"""Where a connection may call: one answer for every kind."""

from antiphon_server.integration.connections.model import Connection
from antiphon_server.runtime.net.egress.policy import EgressPolicy


def egress_of(connection: Connection, host: str, operator: EgressPolicy) -> EgressPolicy:
    """What holds for a connection to ``host``, and for all that this leads to.

    One of a workspace keeps within its workspace's list, if that has one, and within what the
    operator allows. One of the installation is the operator's word, so its own host is allowed.
    """
    if not connection.workspace_id:
        return operator.trusting(host)
    return operator.within(connection.egress) if connection.egress else operator
