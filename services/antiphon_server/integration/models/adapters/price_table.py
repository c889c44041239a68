"""A program: ``price_table.py PROVIDER MODEL`` says what is publicly known of a model.

What a million tokens cost, in and out, in millionths of a dollar, and how many fit its context,
0 if unknown: as a JSON list; ``null`` if the model is not known.
"""

import json
import sys

# Prices have tiers; those of a prompt of this size stand for all.
_SAMPLE_TOKENS = 1000
_MICROS_PER_MILLION = 1_000_000 * 1_000_000 // _SAMPLE_TOKENS


def main(provider: str, model: str) -> None:
    """Look it up."""
    from genai_prices import Usage, calc_price

    sample = Usage(input_tokens=_SAMPLE_TOKENS, output_tokens=_SAMPLE_TOKENS)
    try:
        price = calc_price(sample, model, provider_id=provider)
    except (LookupError, ValueError):
        print("null")
        return
    costs = [round(it * _MICROS_PER_MILLION) for it in (price.input_price, price.output_price)]
    print(json.dumps([*costs, price.model.context_window or 0]))


if __name__ == "__main__":
    main(*sys.argv[1:])
