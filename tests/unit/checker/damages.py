"""Every registered way to damage the good plan."""

import damages_to_fields
import damages_to_journeys
import damages_to_ways
from breaking import DAMAGES

__all__ = ["DAMAGES", "damages_to_fields", "damages_to_journeys", "damages_to_ways"]
