"""All built-in finders but the model, as the corpus wants them."""

from collections.abc import Sequence

from antiphon_server.filters.finding.builtin import payloads, personal_data, secrets
from antiphon_server.filters.finding.model import Bounded, Finder
from antiphon_server.filters.finding.repetition import Repetition
from antiphon_server.filters.finding.terms import Terms
from tests.filters.corpus import REGIONS, TERMS_AS_PARTS, TERMS_AS_WORDS

BOUNDED: Sequence[Bounded] = [
    *secrets(),
    *personal_data(REGIONS),
    Terms(TERMS_AS_WORDS, TERMS_AS_PARTS),
    *payloads(),
]
ALL: Sequence[Finder] = [*BOUNDED, Repetition()]
