"""A filter of one's own, which finds words that are not polite (docs/guides/own-filter.md)."""

import asyncio
import os
import re

import grpc

from antiphon.context.v1 import remote_filter_service_pb2 as messages
from antiphon.context.v1 import remote_filter_service_pb2_grpc as services

RUDE = re.compile(r"\b(blockhead|nitwit)\b", re.IGNORECASE)
MOST_BYTES = 8 * 1024 * 1024


class Moderation(services.RemoteFilterServiceServicer):
    """Says what it found in which text, from which character to which."""

    async def Screen(self, request, context):
        """See RemoteFilterService.Screen; places are characters, as Python counts them."""
        answer = messages.RemoteFilterServiceScreenResponse()
        for number, said in enumerate(request.texts):
            for found in RUDE.finditer(said):
                start, end = found.span()
                answer.findings.add(category="rude", text=number, start=start, end=end)
        return answer


async def main() -> None:
    """Serve until somebody ends it."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", MOST_BYTES)])
    services.add_RemoteFilterServiceServicer_to_server(Moderation(), server)
    server.add_insecure_port(f"127.0.0.1:{os.environ.get('PORT', '50051')}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
