"""Frozen types of the problem and the plan; no maps, no OR-Tools."""
