"""What models consumed, summed up."""

from antiphon.integration.v1.model_pb2 import Usage

_COUNTED = [it.name for it in Usage.DESCRIPTOR.fields if it.name.endswith("_tokens")]


def plus(one: Usage, other: Usage) -> Usage:
    """Both together; the cost is unknown if one of them is, or if they are of two currencies."""
    both = Usage(estimated=one.estimated or other.estimated)
    for name in _COUNTED:
        setattr(both, name, getattr(one, name) + getattr(other, name))
    known = one.HasField("cost") and other.HasField("cost")
    if known and one.cost.currency == other.cost.currency:
        both.cost.currency = one.cost.currency
        both.cost.micros = one.cost.micros + other.cost.micros
    return both
