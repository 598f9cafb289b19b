"""Drone flights: the face of the flight modules.

`find_flight_path` finds a legal path, `fly` says what flying it takes at a time of the day with a payload, and
`costs_by_hour` does so for whole tables. The parts are in `flight_airspace` (what zones mean), `flight_route` (seen
from above, round zones by `flight_corners`), `flight_profile` (seen from the side), `flight_path` (all together),
`flight_energy` (seconds and watt-hours), `flight_weather` (limits), `flight_hours` (tables) and `drones` (types).
"""

from geodata.drones import DroneType, load_drone_types
from geodata.flight_energy import fly, payload_limit_kg, usable_wh
from geodata.flight_hours import costs_by_hour, costs_of_paths
from geodata.flight_path import find_flight_path, find_flight_paths
from geodata.flight_profile import CEILING_AGL_M
from geodata.flight_types import FlightCost, FlightPath, FlightRefusal

__all__ = [
    "CEILING_AGL_M",
    "DroneType",
    "FlightCost",
    "FlightPath",
    "FlightRefusal",
    "costs_by_hour",
    "costs_of_paths",
    "find_flight_path",
    "find_flight_paths",
    "fly",
    "load_drone_types",
    "payload_limit_kg",
    "usable_wh",
]
