"""Where pickup points should be: exact models of siting, each with a proven bound."""
