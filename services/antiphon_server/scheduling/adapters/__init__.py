"""Where schedules are kept, and how their turns are started."""
