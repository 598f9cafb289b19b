"""What a plan is written as, beside ``plan.json``: GeoJSON, tables, manifests, the map and the report."""

from routing.export.outputs import program_files, write_outputs

__all__ = ["program_files", "write_outputs"]
