"""Token counts of the OpenAI wire, as its providers report them."""

from typing import Any

import pytest

from antiphon_server.integration.models.adapters.openai_usage import tokens_of
from antiphon_server.integration.models.adapters.reported_tokens import MAX_COUNT, reported
from antiphon_server.integration.models.pricing import Tokens

# What providers really send, and what of it is to be paid.
REPORTS: dict[str, tuple[dict[str, Any], Tokens]] = {
    "openai": (
        {
            "prompt_tokens": 2006,
            "completion_tokens": 300,
            "total_tokens": 2306,
            "prompt_tokens_details": {
                "cached_tokens": 1920,
                "cache_write_tokens": 64,
                "audio_tokens": 0,
            },
            "completion_tokens_details": {
                "reasoning_tokens": 192,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        Tokens(2006, 300, cached=1920, cache_write=64, reasoning=192),
    ),
    "openai, audio": (
        {
            "prompt_tokens": 500,
            "completion_tokens": 90,
            "total_tokens": 590,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 400},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 70},
        },
        Tokens(500, 90, audio_input=400, audio_output=70),
    ),
    "xai": (
        {
            "prompt_tokens": 32,
            "completion_tokens": 9,
            "total_tokens": 135,
            "prompt_tokens_details": {
                "text_tokens": 32,
                "audio_tokens": 0,
                "image_tokens": 0,
                "cached_tokens": 6,
            },
            "completion_tokens_details": {"reasoning_tokens": 94, "audio_tokens": 0},
            "num_sources_used": 0,
        },
        Tokens(32, 103, cached=6, reasoning=94),
    ),
    "google's gateway": (
        {"prompt_tokens": 8, "completion_tokens": 10, "total_tokens": 518},
        Tokens(8, 510, reasoning=500),
    ),
    "perplexity": (
        {
            "prompt_tokens": 33,
            "completion_tokens": 7163,
            "total_tokens": 7196,
            "citation_tokens": 20016,
            "num_search_queries": 18,
            "reasoning_tokens": 73997,
        },
        Tokens(33, 81160, reasoning=73997),
    ),
    "deepseek": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 50,
            "total_tokens": 150,
            "prompt_cache_hit_tokens": 64,
            "prompt_cache_miss_tokens": 36,
            "completion_tokens_details": {"reasoning_tokens": 40},
        },
        Tokens(100, 50, cached=64, reasoning=40),
    ),
    "moonshot": (
        {"prompt_tokens": 19, "completion_tokens": 21, "total_tokens": 40, "cached_tokens": 10},
        Tokens(19, 21, cached=10),
    ),
    "databricks": (
        {
            "prompt_tokens": 19,
            "completion_tokens": 21,
            "cache_read_input_tokens": 9,
            "reasoning_tokens": 11,
        },
        Tokens(19, 21, cached=9, reasoning=11),
    ),
    "vllm": (
        {
            "prompt_tokens": 19,
            "completion_tokens": 21,
            "total_tokens": 40,
            "prompt_tokens_details": None,
        },
        Tokens(19, 21),
    ),
    "llama.cpp": (
        {
            "prompt_tokens": 19,
            "completion_tokens": 21,
            "total_tokens": 40,
            "prompt_tokens_details": {"cached_tokens": 18},
        },
        Tokens(19, 21, cached=18),
    ),
}


@pytest.mark.parametrize(("usage", "tokens"), REPORTS.values(), ids=REPORTS)
def test_each_provider_is_understood(usage: dict[str, Any], tokens: Tokens) -> None:
    """All that is paid for as output is in it, wherever the provider counts what is thought."""
    assert tokens_of(usage) == tokens


@pytest.mark.parametrize(
    "odd", [None, [], "many", -1, 1.5, True, MAX_COUNT + 1, {"cached_tokens": -7}]
)
def test_odd_parts_cost_nothing_of_the_rest(odd: object) -> None:
    """What can't be is not believed; the two wholes count."""
    details = {"cached_tokens": odd, "reasoning_tokens": odd, "audio_tokens": odd}
    usage = {
        "prompt_tokens": 3,
        "completion_tokens": 4,
        "total_tokens": odd,
        "prompt_tokens_details": details,
        "completion_tokens_details": odd,
    }
    assert tokens_of(usage) == Tokens(3, 4)


@pytest.mark.parametrize(
    "usage",
    [
        None,
        [],
        {},
        {"prompt_tokens": 3},
        {"prompt_tokens": -3, "completion_tokens": 4},
        {"prompt_tokens": 3.0, "completion_tokens": 4},
        {"prompt_tokens": 3, "completion_tokens": MAX_COUNT + 1},
    ],
)
def test_without_both_wholes_nothing_is_known(usage: object) -> None:
    """It is estimated then."""
    assert tokens_of(usage) is None


def test_parts_are_no_more_than_the_whole() -> None:
    """Whatever a provider says: no token is paid for twice, and none less than nothing."""
    assert reported(10, 5, cached=99, cache_write=99, reasoning=99, audio_output=99) == Tokens(
        10, 5, cached=10, reasoning=5
    )
    assert reported(10, 5, cached=4, cache_write=99, audio_input=99) == Tokens(
        10, 5, cached=4, cache_write=6, audio_input=4, cached_audio=4
    )


def test_what_is_both_cached_and_audio_is_found() -> None:
    """As much of it as there has to be, where the provider doesn't say."""
    assert reported(10, 0, cached=8, audio_input=7).cached_audio == 5
    assert reported(10, 0, cached=8, audio_input=7, cached_audio=6).cached_audio == 6
    assert reported(10, 0, cached=3, audio_input=7).cached_audio == 0
