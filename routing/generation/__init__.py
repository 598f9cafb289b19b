"""Complete scenarios from an OSM extract or out of nothing."""
