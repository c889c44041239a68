"""What a server keeps of what is over: memory, tasks, file descriptors, threads."""
