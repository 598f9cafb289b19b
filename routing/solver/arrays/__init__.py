"""The general search's moves as compiled loops over arrays."""
