"""Workers: programs that dial in, are assigned turns, and say what comes of them.

::

    worker = Worker("calculator", version="1", slots=8)

    @worker.handler("calculator", description="Works out what you write.")
    async def calculate(work: Work) -> None:
        await work.write(f"{evaluate(work.message)}")

    asyncio.run(worker.run())
"""

from antiphon_client.worker.budgets import BudgetLeft
from antiphon_client.worker.calls import OwnCall, ToolEnd
from antiphon_client.worker.delegation import Delegated
from antiphon_client.worker.handlers import WorkFailed
from antiphon_client.worker.work import Work
from antiphon_client.worker.worker import Worker

__all__ = ["Worker", "Work", "WorkFailed", "OwnCall", "ToolEnd", "Delegated", "BudgetLeft"]
