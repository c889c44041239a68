"""`antiphon migrate`: what clients saw on SQLite they see on Postgres."""
