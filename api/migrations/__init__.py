"""Migrations of the service's database, applied when it is opened."""
