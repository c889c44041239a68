"""The log: one ordered, durable stream of events per scope, and its live fan-out."""
