"""The service's own page."""
