"""Those who work on turns in this process."""
