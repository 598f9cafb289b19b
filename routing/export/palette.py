"""Colours of carriers: one hue a kind, one shade of it a carrier."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable

CATEGORY_COLOURS = {
    "van": "#2166ac",
    "truck": "#35307f",
    "reefer": "#128a99",
    "tricycle": "#d2691e",
    "ugv": "#6b7280",
    "vehicle": "#4b5f73",
    "bus": "#9a6700",
    "courier": "#2e8b57",
    "drone": "#b5287f",
}
"""Hues that stay apart for readers with red-green or blue-yellow weakness, dark enough on a pale map."""
_SHADES = ((0.0, 0.0), (0.10, 0.022), (-0.07, -0.018), (0.16, -0.028), (-0.03, 0.03), (0.05, -0.008))
"""Changes of lightness and hue of the carriers of a kind, in turn."""


def carrier_colours(carriers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return a colour for each carrier id.

    Parameters
    ----------
    carriers
        Pairs of category and carrier id; ids in order of first sight take the shades of their category in turn.
    """
    found: dict[str, str] = {}
    seen: dict[str, int] = {}
    for category, carrier in carriers:
        if carrier in found:
            continue
        turn = seen.get(category, 0)
        seen[category] = turn + 1
        found[carrier] = _shaded(CATEGORY_COLOURS[category], *_SHADES[turn % len(_SHADES)])
    return found


def _shaded(colour: str, lighter: float, turned: float) -> str:
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    shade = colorsys.hls_to_rgb((hue + turned) % 1.0, min(max(lightness + lighter, 0.18), 0.62), saturation)
    return "#" + "".join(f"{round(part * 255):02x}" for part in shade)
