"""A client that takes its time to let a stream open."""

import asyncio
from typing import Any

from antiphon_server.runtime.rpc.methods import Behaviour, Context, Method, MethodInterceptor


class SlowOpening(MethodInterceptor):
    """Holds every stream's headers back until ``go`` is set; ``held`` says that it does."""

    def __init__(self) -> None:
        super().__init__()
        self.held = asyncio.Event()
        self.go = asyncio.Event()

    def wrap(self, method: Method, inner: Behaviour) -> Behaviour:
        """See the class."""

        async def call(request: Any, context: Context) -> Any:
            send = context.send_initial_metadata

            async def later(initial_metadata: Any) -> None:
                self.held.set()
                await self.go.wait()
                await send(initial_metadata)

            context.send_initial_metadata = later  # type: ignore[method-assign]
            return await inner(request, context)

        return call
