"""What ten people keep in one index, and what each of them is told of it."""
