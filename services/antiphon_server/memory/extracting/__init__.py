"""Finds what people say of themselves: pure computation; what a model is asked is text.

Precision comes before recall: what is not said plainly, in the first person, is left out.
"""

from antiphon_server.memory.extracting.extracting import extract
from antiphon_server.memory.extracting.merging import Relation, Settled, relation, settled
from antiphon_server.memory.extracting.model import Candidate, Hold, Kind, Utterance
from antiphon_server.memory.extracting.names import Named, known_names, names_of_facts

__all__ = [
    "Candidate",
    "Hold",
    "Kind",
    "Named",
    "Relation",
    "Settled",
    "Utterance",
    "extract",
    "known_names",
    "names_of_facts",
    "relation",
    "settled",
]
