"""What models ask for what they read and say, and what a call costs by that."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from antiphon_server.integration.ledger.model import MOST_COST_MICROS, Money, Quantities
from antiphon_server.runtime.telemetry.structured import structlog

_MILLION = 1_000_000
_DAY_S = 24 * 3600

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The token counts that a provider reports for one call.

    All others are parts of ``input`` or ``output``; ``cached_audio`` is one of ``cached`` and of
    ``audio_input``.
    """

    input: int
    output: int
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0
    audio_input: int = 0
    audio_output: int = 0
    cached_audio: int = 0

    @property
    def quantities(self) -> Quantities:
        """The same as the ledger has them."""
        return Quantities(
            input_tokens=self.input,
            output_tokens=self.output,
            cached_tokens=self.cached,
            cache_write_tokens=self.cache_write,
            reasoning_tokens=self.reasoning,
            audio_input_tokens=self.audio_input,
            audio_output_tokens=self.audio_output,
            cached_audio_tokens=self.cached_audio,
        )


@dataclass(frozen=True, slots=True)
class Rates:
    """The prices of a million tokens of each kind, and of a request, in millionths of the
    currency's unit.

    What has none (None) costs what the kind does that it is a part of: cached audio what is
    cached, or else what audio does, all others what is read or said.
    """

    input: int
    output: int
    cached: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    audio_input: int | None = None
    audio_output: int | None = None
    cached_audio: int | None = None
    request: int = 0

    def micros(self, tokens: Tokens) -> int:
        """The price of a call that consumed the tokens, rounded up."""
        total = self._read(tokens) + self._said(tokens)
        return -(-total // _MILLION) + self.request

    def most_micros(self, input_tokens: int, output_tokens: int, *, audio: bool) -> int:
        """The most that a call costs which consumes no more, each token of the dearest kind."""
        read = [self.input, self.cached, self.cache_write]
        said = [self.output, self.reasoning]
        if audio:
            read += [self.audio_input, self.cached_audio]
            said += [self.audio_output]
        total = input_tokens * _dearest(read) + output_tokens * _dearest(said)
        return -(-total // _MILLION) + self.request

    def _read(self, tokens: Tokens) -> int:
        heard = _or(self.audio_input, self.input)
        audio = tokens.audio_input - tokens.cached_audio
        plain = tokens.input - tokens.cached - tokens.cache_write - audio
        return (
            plain * self.input
            + (tokens.cached - tokens.cached_audio) * _or(self.cached, self.input)
            + tokens.cached_audio * _or(self.cached_audio, _or(self.cached, heard))
            + tokens.cache_write * _or(self.cache_write, self.input)
            + audio * heard
        )

    def _said(self, tokens: Tokens) -> int:
        return (
            (tokens.output - tokens.reasoning - tokens.audio_output) * self.output
            + tokens.reasoning * _or(self.reasoning, self.output)
            + tokens.audio_output * _or(self.audio_output, self.output)
        )


@dataclass(frozen=True, slots=True)
class Tier:
    """What is asked for all of a call that reads more than ``above`` tokens."""

    above: int
    rates: Rates


@dataclass(frozen=True, slots=True)
class Change:
    """What is asked instead: from ``start_s`` (Unix time) on, and where ``daily`` is given only
    between two seconds of each day in UTC, of which the first may be the later one.
    """

    rates: Rates
    tiers: tuple[Tier, ...] = ()
    start_s: int = 0
    daily: tuple[int, int] | None = None

    def holds(self, time_s: int) -> bool:
        """Whether it is asked at that time."""
        if time_s < self.start_s:
            return False
        if self.daily is None:
            return True
        (first, end), second = self.daily, time_s % _DAY_S
        return first <= second < end if first <= end else second >= first or second < end


@dataclass(frozen=True, slots=True)
class Prices:
    """What a model asks; ``tiers`` with the smallest first, of ``changes`` the last one counts."""

    rates: Rates
    currency: str = "USD"
    tiers: tuple[Tier, ...] = ()
    changes: tuple[Change, ...] = ()

    def at(self, time_us: int) -> "Prices":
        """What is asked at that time, whatever is at others."""
        time_s = time_us // _MILLION
        for change in reversed(self.changes):
            if change.holds(time_s):
                return Prices(change.rates, self.currency, change.tiers)
        return Prices(self.rates, self.currency, self.tiers) if self.changes else self

    def cost(self, tokens: Tokens) -> Money:
        """The price of a call that consumed the tokens, rounded up; changes are for :meth:`at`.

        It is as much as can be booked of one call, at most.
        """
        micros = self.rates_of(tokens.input).micros(tokens)
        if micros > MOST_COST_MICROS:
            logger.warning("call costs more than can be booked", micros=micros, tokens=tokens)
        return Money(self.currency, min(micros, MOST_COST_MICROS))

    def rates_of(self, input_tokens: int) -> Rates:
        """What a call is charged by that reads so many tokens."""
        rates = self.rates
        for tier in self.tiers:
            if input_tokens > tier.above:
                rates = tier.rates
        return rates

    def most(self, input_tokens: int, output_tokens: int, *, audio: bool = True) -> Money:
        """The most that a call may cost which reads and says no more than so many tokens.

        Whenever it is made, whichever of its tokens are cached, and without ``audio`` among them
        where the caller knows that.
        """
        micros = max(
            rates.most_micros(input_tokens, output_tokens, audio=audio)
            for rates in self._within(input_tokens)
        )
        return Money(self.currency, min(micros, MOST_COST_MICROS))

    @property
    def free(self) -> bool:
        """Whether nothing costs anything, at any time."""
        return not self.most(sys.maxsize, sys.maxsize).micros

    def _within(self, input_tokens: int) -> Iterator[Rates]:
        """All rates that a call may be charged by which reads no more than so many tokens."""
        asked = [(self.rates, self.tiers), *((it.rates, it.tiers) for it in self.changes)]
        for rates, tiers in asked:
            yield rates
            yield from (tier.rates for tier in tiers if input_tokens > tier.above)


def _or(rate: int | None, other: int) -> int:
    return other if rate is None else rate


def _dearest(rates: list[int | None]) -> int:
    return max(rate for rate in rates if rate is not None)
