"""Kinds of right to use a road, and the values of OSM access tags that stand for them."""

from __future__ import annotations

ACCESS_KINDS: tuple[str, ...] = ("no", "yes", "destination", "private", "agricultural")
"""Kinds of right to use an edge; index = access code."""

_VALUES = {
    "yes": "yes permissive designated official public",
    "destination": "destination delivery customers permit residents",
    "private": "private",
    "agricultural": "agricultural forestry",
    "no": "no use_sidepath military emergency psv bus taxi hov bicycle",
}
ACCESS_VALUE: dict[str, str] = {value: kind for kind, values in _VALUES.items() for value in values.split()}
"""Access kind of each value of an access tag (OpenStreetMap wiki, Key:access); others say nothing."""
