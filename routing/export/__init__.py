"""What a plan is written as, beside ``plan.json``: GeoJSON, tables, manifests, the map and the report."""

from routing.export.outputs import write_outputs

__all__ = ["write_outputs"]
