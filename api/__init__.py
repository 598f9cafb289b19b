"""Ways in: command line and service; no planning logic."""
