"""What a workspace says of hosts holds for its connections, those that are open, too."""

from pathlib import Path

import pytest

from antiphon.integration.v1 import connection_pb2 as pb
from antiphon_client import AntiphonError
from tests.e2e.process import all_of
from tests.e2e.server import ServerProcess
from tests.fakes.httpbin_server import httpbin_server

HERE = {"ANTIPHON_EGRESS_ALLOW_NETWORKS": '["127.0.0.0/8"]'}


async def test_a_list_holds_for_what_is_open(tmp_path: Path) -> None:
    """A link that works is refused from the next call on, and works again when it is allowed."""
    async with httpbin_server() as url:
        server = ServerProcess(tmp_path, variables=HERE)
        async with all_of([server]), server.client() as client:
            await client.create_conversation()
            workspace = (await anext(client.list_workspaces())).workspace_id
            target = pb.OpenApiTarget(url=f"{url}/spec.json", base_url=url)
            mine = pb.Connection(name="mine", openapi=target)
            await client.create_connection(workspace, mine)
            await client.test_connection(workspace, "mine")
            await client.call_tool(workspace, "mine.get_uuid", {})
            seen = await client.set_egress_rules(workspace, pb.EgressRules(hosts=["a.example"]))
            tested = await client.test_connection(workspace, "mine")
            assert tested.status.error_reason == "EGRESS_DENIED"
            with pytest.raises(AntiphonError):
                await client.call_tool(workspace, "mine.get_uuid", {})
            with pytest.raises(AntiphonError) as refused:
                await client.create_connection(workspace, pb.Connection(name="x", openapi=target))
            assert refused.value.reason == "EGRESS_DENIED"
            anew = pb.EgressRules(hosts=["127.0.0.1"], etag="another")
            with pytest.raises(AntiphonError) as old:
                await client.set_egress_rules(workspace, anew)
            assert old.value.reason == "ETAG_MISMATCH"
            anew.etag = seen.etag
            assert (await client.set_egress_rules(workspace, anew)).etag != seen.etag
            await client.test_connection(workspace, "mine")
            await client.call_tool(workspace, "mine.get_uuid", {})
