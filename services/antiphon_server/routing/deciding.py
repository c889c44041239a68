"""Who gets a message: by a workspace's rules, then the installation's, then the default."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

from antiphon_server.routing.matching import Table
from antiphon_server.routing.model import (
    MIN_MARGIN,
    MIN_SCORE,
    MOST_CANDIDATES,
    MOST_OFFERED,
    WAIT_S,
    Ask,
    Candidate,
    Classifier,
    Decision,
    Expert,
    Outcome,
    Question,
    Rule,
    Said,
)
from antiphon_server.routing.ports import Classifies, Experts

LONG = 2048
"""Characters in which patterns are looked for at once; in more of them a thread does it."""

AT_ONCE = 4
"""Threads of its own: what takes long holds up its like, and no look-up of names."""


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="routes")


class Router:
    """Decides; what explains or tries routes asks it, too. ``default`` is the default handler."""

    def __init__(self, default: str, experts: Experts, classify: Classifies) -> None:
        self._default, self._experts, self._classify = default, experts, classify

    def decide(self, said: Said, tables: Sequence[Table]) -> Decision:
        """Who gets the message, and why; ``tables`` are asked in their order.

        It waits for nothing, and is the same for the same message, tables and experts.
        """
        deciding = _Deciding(said, self._experts, self._classify)
        for table in tables:
            for rule in table.matching(said):
                decision = deciding.by(rule, table)
                if decision is not None:
                    return deciding.asked(_of(table, decision))
        return deciding.asked(self._by_default(tables, deciding))

    async def decided(self, said: Said, tables: Sequence[Table]) -> Decision:
        """As :meth:`decide`; what may take more than a moment is done by a thread.

        That is to learn experts, and to look for patterns in a long text, which frees the loop.
        """
        if self._takes_long(said, tables):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(_threads(), self.decide, said, tables)
        return self.decide(said, tables)

    def _takes_long(self, said: Said, tables: Sequence[Table]) -> bool:
        if len(said.text) > LONG and any(it.searches for it in tables):
            return True
        classifiers = [it for table in tables for it in table.classifiers]
        if not classifiers:
            return False
        known = _by_name(self._experts.of(said.workspace_id))
        return not all(self._classify.knows(_among(known, it)) for it in classifiers)

    def _by_default(self, tables: Sequence[Table], deciding: "_Deciding") -> Decision:
        decision = Decision(self._default, Outcome.DEFAULT, passed_over=tuple(deciding.passed_over))
        if not tables:
            return decision
        return replace(decision, parent=tables[-1].parent, revision=tables[-1].revision)


class _Deciding:
    """One decision; who serves what is asked when the first rule matches."""

    def __init__(self, said: Said, experts: Experts, classify: Classifies) -> None:
        self._said, self._source, self._classify = said, experts, classify
        self._asked: Mapping[str, Expert] | None = None
        self.passed_over: list[str] = []
        """Handlers that rules would have chosen, but nobody serves now; each once."""
        self._question: tuple[Decision, Question] | None = None

    def asked(self, otherwise: Decision) -> Decision:
        """What is decided: ``otherwise``, or that a person is asked before."""
        if self._question is None:
            return otherwise
        why, question = self._question
        return why.asking(question, otherwise)

    def by(self, rule: Rule, table: Table) -> Decision | None:
        """What a rule that matches decides; None: the next one does."""
        if rule.classifier is None:
            return self._given(
                rule, rule.handler, Decision(rule.handler, Outcome.RULE, rule=rule.name)
            )
        candidates = self._classify(self._said.text, _among(self._experts, rule.classifier))
        margin = _margin(candidates)
        why = Decision(
            "",
            Outcome.UNSURE,
            rule=rule.name,
            candidates=tuple(candidates[:MOST_CANDIDATES]),
            margin=margin,
        )
        if not _sure(candidates, margin, rule.classifier):
            self._ask(rule, candidates, _of(table, why))
            return self._fallen_back(rule, why)
        best = candidates[0].handler
        return self._given(rule, best, replace(why, handler=best, outcome=Outcome.CLASSIFIED))

    def _ask(self, rule: Rule, candidates: Sequence[Candidate], why: Decision) -> None:
        """Have the person asked, where the rule says so and somebody speaks for any; once."""
        ask = rule.classifier.ask if rule.classifier is not None else None
        if ask is None or not self._said.attended or self._question is not None:
            return
        offered = tuple(self._offered(candidates, ask))
        if offered:
            self._question = why, Question(offered, ask.wait_s or WAIT_S, rule.fallback)

    def _offered(self, candidates: Sequence[Candidate], ask: Ask) -> Sequence[Expert]:
        """The best of those who are there."""
        found = [
            self._experts[it.handler]
            for it in candidates
            if it.score > 0 and it.score >= ask.min_score
        ]
        return [it for it in found if it.available][: ask.most or MOST_OFFERED]

    def _given(self, rule: Rule, handler: str, decision: Decision) -> Decision | None:
        """The decision if somebody serves the handler, else the rule's fallback."""
        if self._serves(handler):
            fallback = rule.fallback if rule.fallback != handler else ""
            return replace(decision, passed_over=tuple(self.passed_over), fallback=fallback)
        return self._fallen_back(rule, replace(decision, outcome=Outcome.AWAY))

    def _fallen_back(self, rule: Rule, decision: Decision) -> Decision | None:
        if not rule.fallback or not self._serves(rule.fallback):
            return None
        return replace(decision, handler=rule.fallback, passed_over=tuple(self.passed_over))

    def _serves(self, handler: str) -> bool:
        expert = self._experts.get(handler)
        if expert is not None and expert.available:
            return True
        if handler and handler not in self.passed_over:  # a newer server's rule names none
            self.passed_over.append(handler)
        return False

    @property
    def _experts(self) -> Mapping[str, Expert]:
        if self._asked is None:
            self._asked = _by_name(self._source.of(self._said.workspace_id))
        return self._asked


def _of(table: Table, decision: Decision) -> Decision:
    return replace(decision, parent=table.parent, revision=table.revision)


def _by_name(experts: Sequence[Expert]) -> Mapping[str, Expert]:
    return {it.handler: it for it in experts}


def _among(known: Mapping[str, Expert], classifier: Classifier) -> Sequence[Expert]:
    """The experts, also those whom nobody serves now: their messages are for no other."""
    if classifier.handlers:
        return [known[it] for it in dict.fromkeys(classifier.handlers) if it in known]
    return [it for it in known.values() if it.examples]


def _margin(candidates: Sequence[Candidate]) -> float:
    best, second = [*(it.score for it in candidates[:2]), 0.0, 0.0][:2]
    return best - second


def _sure(candidates: Sequence[Candidate], margin: float, classifier: Classifier) -> bool:
    return (
        bool(candidates)
        and candidates[0].score >= (classifier.min_score or MIN_SCORE)
        and margin >= (classifier.min_margin or MIN_MARGIN)
    )
