"""Ten tasks that a real model does with tools: ``python -m tests.proofs.tasks --gguf FILE``."""
