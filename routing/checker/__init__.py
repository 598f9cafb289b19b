"""The judge of plans; shares no derivation with the solver."""
