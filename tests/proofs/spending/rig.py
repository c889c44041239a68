"""One seeded run: two servers' calls, what befalls them, and the end at which all is compared."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from random import Random

from antiphon_server.integration.budgets.adapters.sql import SqlBudgets
from antiphon_server.integration.budgets.model import (
    GLOBAL,
    Budget,
    BudgetName,
    Counts,
    Parent,
    Scope,
    Span,
    Terms,
)
from antiphon_server.integration.ledger.model import Counted, Payer, WorkspaceId
from antiphon_server.integration.models.attempt import Before
from antiphon_server.integration.models.fitting import fitted
from antiphon_server.integration.models.model import FinishReason, ModelEnd, Order
from antiphon_server.integration.models.pricing import Tokens
from antiphon_server.runtime.errors import DomainError, Reason
from antiphon_server.runtime.storage.database import Database
from tests.integration.world import asking
from tests.proofs.properties.life import bury
from tests.proofs.spending.endpoint import CHEAP, DEAR, Market, Priced, Talk
from tests.proofs.spending.judging import MOST_OUTPUT, Judge, keep_what_goes
from tests.proofs.spending.server import Kinds, Server

WORKSPACE = WorkspaceId("ws_00000001")
NAMES = ("a", "b")
STEPS = 25
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
SETTLED_S = 5.0
LIMITS = {
    (GLOBAL, Scope.INSTALLATION, Span.ONCE, Counted.MONEY): 9000,
    (Parent(WORKSPACE), Scope.WORKSPACE, Span.MINUTE, Counted.TOKENS): 5000,
    (GLOBAL, Scope.USER, Span.ONCE, Counted.CALLS): 6,
}
WEIGHTS = {
    "begin": 8,
    "speak": 5,
    "finish": 5,
    "fail": 2,
    "cancel": 2,
    "kill": 1,
    "halt": 1,
    "wake": 1,
    "lose": 1,
    "roll over": 1,
    "reprice": 1,
    "prune": 2,
}


class Rig:
    """A run; ``counts`` say what was done in it."""

    def __init__(self, database: Database, seed: str, kinds: Kinds) -> None:
        self._database, self._kinds = database, kinds
        self.chance = Random(seed)
        self.market = Market()
        self.talks: list[Talk] = []
        self.counts = Counter[str]()
        self._running: list[tuple[Server, Talk]] = []
        self._servers: list[Server] = []
        self._pruning: set[asyncio.Task[None]] = set()

    async def run(self) -> list[str]:
        """Play it; what was wrong with it."""
        await keep_what_goes(self._database)
        self.judge = Judge(self._database, await self._budgets(), self.market)
        await self._start()
        for _ in range(STEPS):
            (what,) = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
            self.counts[what] += 1
            await getattr(self, f"_{what.replace(' ', '_')}")()
            await self._settle_down()
            await self.judge.look(self.talks)
        await self._end()
        return await self.judge.wrong(self.talks)

    async def _budgets(self) -> list[Budget]:
        store = SqlBudgets(self._database)
        made: list[Budget] = []
        for (parent, scope, span, counted), limit in LIMITS.items():
            currency = "USD" if counted is Counted.MONEY else ""
            counts = Counts(scope, "", span, "", counted, currency, ())
            name = BudgetName(scope.name.lower())
            made.append(await store.put(parent, name, counts, Terms(limit)))
        return made

    async def _start(self) -> None:
        parts = self._database, self.market, self.chance, self._kinds
        self._servers = [Server(name, *parts) for name in NAMES]
        lost = [it for _, it in self._running]
        self._running = []
        by = self.chance.choice(self._servers)
        first = self.chance.random() < 0.5
        if first:
            await self._recover(by, lost)
        for server in self._servers:
            await self.chance.choice(self._servers).ledger.abandon(server.name)
            await server.ledger.abandon(server.name)
            await server.budgets.refresh()
        if not first:
            await self._recover(by, lost)

    async def _recover(self, by: Server, lost: Sequence[Talk]) -> None:
        """End turns of a server that is gone, with what the log has of them."""
        for talk in lost:
            if talk.logged:
                await by.lost.answered(talk.payer, 0, talk.logged)
                talk.recovered = talk.logged
                self.counts["recovered"] += 1

    async def _begin(self) -> None:
        server = self.chance.choice(self._servers)
        for _ in range(self.chance.randint(1, 3)):
            user = f"user_{self.chance.randrange(2)}"
            turn = f"turn_{len(self.talks):08}"
            talk = Talk(Payer(WORKSPACE, "conv_00000001", turn, user))
            talk.task = asyncio.create_task(self._call(server, talk))
            self.talks.append(talk)
            self._running.append((server, talk))

    async def _call(self, server: Server, talk: Talk) -> None:
        model = Priced(talk, self.market)
        order = Order(talk.payer, (), asking("What is it?", MOST_OUTPUT))
        wanted = fitted(order, await model.room(MOST_OUTPUT), model.accepts)
        self.counts["begun"] += 1
        try:
            async with asyncio.timeout(None) as limit:
                await server.attempts.make(model, wanted, Before(), talk.emit, limit)
        except DomainError as error:
            self.counts[f"refused: {error.reason}"] += 1
        except Exception as error:  # nobody else would hear of it
            self.judge.broken.append(repr(error))

    def _asked(self) -> Talk | None:
        asked = [it for server, it in self._running if it.asked and not server.halted]
        return self.chance.choice(asked) if asked else None

    async def _speak(self) -> None:
        if talk := self._asked():
            talk.told.put_nowait("x" * self.chance.randint(1, 50))

    async def _finish(self) -> None:
        if talk := self._asked():
            told = Tokens(self.chance.randint(0, 40), self.chance.randint(0, MOST_OUTPUT))
            known = self.chance.random() < 0.7
            talk.told.put_nowait(ModelEnd(FinishReason.STOP, told if known else None))

    async def _fail(self) -> None:
        if talk := self._asked():
            reasons = (Reason.MODEL_UNAVAILABLE, Reason.MODEL_PROTOCOL, Reason.MODEL_REFUSED)
            talk.told.put_nowait(DomainError(self.chance.choice(reasons)))

    async def _cancel(self) -> None:
        if self._running:
            _, talk = self.chance.choice(self._running)
            assert talk.task is not None
            talk.task.cancel()

    async def _kill(self) -> None:
        self.chance.choice(self._servers).life.end_after(self.chance.randint(0, 3))

    async def _halt(self) -> None:
        """SIGSTOP: it stands still, and the other one may give its calls up."""
        halted, other = self.chance.sample(self._servers, 2)
        halted.store.goes_on.clear()
        if other.halted or other.life.dead.is_set() or self.chance.random() < 0.3:
            return
        await self._settle_down()
        if halted not in self._servers or not halted.halted:
            return  # all were killed meanwhile
        lost, other.store.lost = other.store.lost, 0
        given_up = [it for server, it in self._running if server is halted]
        for talk in given_up:
            talk.given_up = True
        giving_up = asyncio.ensure_future(self._give_up(halted, other, given_up))
        dying = asyncio.ensure_future(other.life.dead.wait())
        await asyncio.wait([giving_up, dying], return_when=asyncio.FIRST_COMPLETED)
        other.store.lost = lost
        self.counts["given up"] += 1
        if giving_up.done():
            dying.cancel()

    async def _give_up(self, halted: Server, by: Server, calls: Sequence[Talk]) -> None:
        """What comes first is chance: the ledger's deadline, or the turns' next server."""
        first = self.chance.random() < 0.5
        if first:
            await self._recover(by, calls)
        await by.ledger.abandon(halted.name)
        if not first:
            await self._recover(by, calls)

    async def _wake(self) -> None:
        for server in self._servers:
            server.store.goes_on.set()

    async def _lose(self) -> None:
        """Lose the next answers of a store, more than are waited for at times."""
        self.chance.choice(self._servers).store.lost = self.chance.randint(1, 6)

    async def _roll_over(self) -> None:
        self.market.now_us += self.chance.randint(MINUTE_US // 2, 2 * MINUTE_US)

    async def _reprice(self) -> None:
        self.market.prices = DEAR if self.market.prices is CHEAP else CHEAP

    async def _prune(self) -> None:
        """Forget what is over, at times hours later, while calls begin and end."""
        if self.chance.random() < 0.3:
            self.market.now_us += 2 * HOUR_US
        server = self.chance.choice(self._servers)
        pruning = asyncio.create_task(self._prune_by(server))
        self._pruning.add(pruning)
        pruning.add_done_callback(self._pruning.discard)
        await self.chance.choice([self._begin, self._finish, self._cancel])()
        if server.halted:
            return  # it goes on when that does
        dying = asyncio.ensure_future(server.life.dead.wait())
        await asyncio.wait([pruning, dying], return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()

    async def _prune_by(self, server: Server) -> None:
        with contextlib.suppress(DomainError):
            await server.pruning.once()

    async def _settle_down(self) -> None:
        """Wait until nothing more happens by itself."""
        for server in self._servers:
            await server.life.quiet()
        if any(server.life.dead.is_set() for server in self._servers):
            self.counts["killed"] += 1
            await self._restart()
        self._running = [it for it in self._running if it[1].task and not it[1].task.done()]

    async def _restart(self) -> None:
        await bury(self._database)
        # Of those that were over, some settlements may have waited for the store.
        still_open = await self.judge.still_open()
        for talk in self.talks:
            talk.killed = talk.killed or talk.call_id in still_open
        await self._start()

    async def _end(self) -> None:
        """Let all go on, cancel what still runs, and wait until all is settled."""
        for server in self._servers:
            server.life.go_on()
            server.store.lost = 0
            server.store.goes_on.set()
        await self._settle_down()
        for _, talk in self._running:
            assert talk.task is not None
            talk.task.cancel()
            await asyncio.wait([talk.task])
        end = time.monotonic() + SETTLED_S
        while await self.judge.reserved() and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        if self._pruning:
            await asyncio.wait(self._pruning)
        for server in self._servers:
            await server.close()
