"""What energy gives off: the carbon dioxide of a litre of diesel and of a kilowatt-hour from the grid."""

from __future__ import annotations

DIESEL_WH_PER_L = 10_000.0
"""Energy counted for a litre of diesel."""
DIESEL_CO2_KG_PER_L = 2.68
"""Domain notes 4 [BK]."""
GRID_CO2_KG_PER_KWH = 0.55
"""Domain notes 4 [BK]; grids rich in hydropower reach 0.1-0.3."""
