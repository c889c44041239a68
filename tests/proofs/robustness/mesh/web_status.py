"""How a call of grpc-web ended, as grpc.aio says it."""

import base64
from collections.abc import Mapping
from urllib.parse import unquote

import grpc

DETAILS = "grpc-status-details-bin"
CODES = {code.value[0]: code for code in grpc.StatusCode}


def lost(details: str, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> grpc.aio.AioRpcError:
    """What a call says that was not answered."""
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), details)


def outcome(headers: Mapping[str, str], trailers: Mapping[str, str]) -> grpc.aio.AioRpcError | None:
    """The error of a call whose answer was read to its end; None if it has none."""
    told = trailers if "grpc-status" in trailers else headers
    if "grpc-status" not in told:
        return lost("the answer was cut")
    code = CODES[int(told["grpc-status"])]
    if code is grpc.StatusCode.OK:
        return None
    trailing = grpc.aio.Metadata()
    if details := told.get(DETAILS):
        trailing[DETAILS] = base64.b64decode(details + "=" * (-len(details) % 4))
    message = unquote(told.get("grpc-message", ""))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, message)
