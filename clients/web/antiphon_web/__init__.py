"""The pages for browsers, built by `uv run poe web` from TypeScript in `clients/web/src`."""
