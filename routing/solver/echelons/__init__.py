"""Days in two echelons: trucks from the hubs to stations, vehicles of the stations to the doors, planned together."""
