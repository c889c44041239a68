"""Servers that are described by a set in place of reflection."""

from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from antiphon_server.integration.connections.adapters.grpc_calls.descriptor_sets import (
    MOST_GIVEN,
    read,
    told_by,
)
from antiphon_server.integration.connections.adapters.grpc_calls.files import TooMuch, Unusable
from antiphon_server.integration.connections.model import Grpc
from antiphon_server.runtime.errors import Reason
from tests.e2e.refusals import Refused
from tests.integration.connections.grpc_calls.things import (
    FILE,
    SERVICE,
    SET,
    Things,
    call,
    linked,
    serving,
)


async def test_a_server_is_called_by_its_set() -> None:
    """It is not asked for reflection, though it would say that it has nothing."""

    async def asked(requests: Any, context: Any) -> Any:
        raise AssertionError("nobody asks")
        yield

    async with serving(Things(), asked=asked) as port:
        target = Grpc(f"http://127.0.0.1:{port}", digest="aa")
        async with linked(target, descriptor_set=SET) as link:
            for _ in range(2):
                assert set(await link.discover()) == {"it.Things.Echo", "it.Things.Count"}
            result: Any = await link.call(call("Echo", text="hello"))
            assert result.structured["text"] == "hello"


async def test_a_server_that_is_away_is_so_whatever_the_set_says() -> None:
    """A set is no sign of life."""
    async with linked(Grpc("http://127.0.0.1:1", digest="aa"), descriptor_set=SET) as link:
        with Refused(Reason.CONNECTION_UNAVAILABLE):
            await link.discover()


async def test_a_file_is_read_again_with_each_probe(tmp_path: Path) -> None:
    """What it says is so from then on; one that is gone is named, with what it had kept."""
    file = tmp_path / "set.binpb"
    async with serving(Things(), []) as port:
        target = Grpc(f"http://127.0.0.1:{port}", (SERVICE,), file=str(file))
        async with linked(target) as link:
            with Refused(Reason.INVALID_ARGUMENT):
                await link.discover()
            file.write_bytes(SET)
            assert len(await link.discover()) == 2
            less = type(FILE).FromString(FILE.SerializeToString())
            del less.service[0].method[1]
            file.write_bytes(FileDescriptorSet(file=[less]).SerializeToString())
            assert set(await link.discover()) == {"it.Things.Echo"}
            file.unlink()
            with Refused(Reason.INVALID_ARGUMENT) as gone:
                await link.discover()
            assert "can't be read" in gone.error.violations[0].description


def test_what_a_set_may_not_be(tmp_path: Path) -> None:
    """It says what it lacks; one that is too large is not even parsed."""
    with pytest.raises(Unusable, match="no service 'things"):
        told_by(SET, ["things.v1.Other"])
    with pytest.raises(Unusable, match="no service"):
        told_by(b"")
    with pytest.raises(Unusable, match="no descriptor set"):
        told_by(b"\xff")
    file = tmp_path / "large"
    file.write_bytes(bytes(MOST_GIVEN + 10))
    assert len(read(file)) == MOST_GIVEN + 1
    with pytest.raises(TooMuch, match="larger"):
        told_by(read(file))
