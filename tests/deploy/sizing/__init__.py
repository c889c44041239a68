"""What Postgres and Redis take for what people do: measured on real ones."""
