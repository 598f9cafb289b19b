"""Published instances: adapters that turn files of a family into problems and judge plans by the family's own rules."""
