"""What is told of a process: logs, figures, traces, and the id that joins them."""
