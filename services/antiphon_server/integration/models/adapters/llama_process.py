"""A llama.cpp server in a process of its own, so that a crash in it is not ours.

Run as ``python -m antiphon_server.integration.models.adapters.llama_process --gguf FILE``. The
first line on its standard input is the key that callers must send; it prints its
address, and ends when its standard input does, that is, when its parent dies.
"""

import argparse
import os
import sys
from typing import Any


def main() -> None:
    """Load the model, print the address, wait for the parent's end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gguf", required=True)
    parser.add_argument("--context-tokens", type=int, default=8192)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--parallel", type=int, default=4)
    arguments = parser.parse_args()
    server = _serve(arguments, sys.stdin.readline().strip())
    print(server.listening_address, flush=True)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    sys.stdin.read()
    os._exit(0)  # its native threads need no farewell


def _serve(arguments: argparse.Namespace, key: str):  # type: ignore[no-untyped-def]
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = arguments.gguf
    params.n_ctx = arguments.context_tokens
    params.n_parallel = arguments.parallel
    params.n_batch = 256  # between two of them it tells how far it has read
    params.kv_unified = True  # the slots share the context, each may use all of it
    params.n_ctx_checkpoints = 0
    params.cache_ram_mib = 0
    # One token of so small a model is too little work to share: on a busy machine the threads
    # spend their time in waiting for each other, and an answer takes minutes.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = arguments.threads
    params.n_threads_http = 2 * arguments.parallel
    params.fit_params = False
    params.warmup = False
    _break_loops(params.sampling)
    params.verbosity = -1
    params.hostnames = ["127.0.0.1"]
    params.api_keys = [key]
    params.cors_origins = ""
    params.ui = False
    params.endpoint_slots = False
    return xllamacpp.Server(params)


def _break_loops(sampling: Any) -> None:
    """The likeliest token each time, but less and less what would go on a repetition.

    A model of this size says the same lines for ever otherwise. DRY, of sequences alone, only
    makes it find other words for them: so each token counts against itself as often as it came
    lately. A penalty that does not grow has to be so high for that that it breaks the first
    sentence, since it also counts what the question says.
    """
    sampling.temp = 0.0
    sampling.penalty_freq = 0.3
    sampling.penalty_last_n = 256
    sampling.dry_multiplier = 1.2
    sampling.dry_penalty_last_n = 1024


if __name__ == "__main__":
    main()
