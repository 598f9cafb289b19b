"""The innermost loops of flights, compiled: ground under a line, the taut string, seconds in wind.

They hold what cannot be said in whole arrays without many passes over memory; what they mean is said where they are
called (`flight_profile`, `flight_energy`).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from geodata.compiled import compiled
from geodata.location import EARTH_RADIUS_M, FloatArray

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@compiled
def lines_crossed(start: FloatArray, step: FloatArray) -> FloatArray:
    """Return where straight pieces begin and where they cross grid lines, in order, as piece + share of its length.

    Parameters
    ----------
    start, step
        Start of each piece and the step to its end, shape (pieces, 2), in columns and rows of the grid: its lines are
        the whole numbers.
    """
    count = len(start)
    for piece in range(len(start)):
        for axis in range(2):
            a, b = start[piece, axis], start[piece, axis] + step[piece, axis]
            count += max(0, math.ceil(max(a, b)) - math.floor(min(a, b)) - 1)
    found = np.empty(count)
    size = 0
    line, end, turn = np.zeros(2), np.zeros(2), np.zeros(2)
    for piece in range(len(start)):
        found[size] = piece
        size += 1
        for axis in range(2):
            a, b = start[piece, axis], start[piece, axis] + step[piece, axis]
            turn[axis] = -1.0 if b < a else 1.0
            lowest, highest = math.floor(min(a, b)) + 1.0, math.ceil(max(a, b)) - 1.0
            line[axis], end[axis] = (highest, lowest) if b < a else (lowest, highest)
        while True:
            best, axis_next = np.inf, -1
            for axis in range(2):
                if (end[axis] - line[axis]) * turn[axis] >= 0.0:
                    share = (line[axis] - start[piece, axis]) / step[piece, axis]
                    if share < best:
                        best, axis_next = share, axis
            if axis_next < 0:
                break
            found[size] = best + piece
            size += 1
            line[axis_next] += turn[axis_next]
    return found


@compiled
def band_of_heights(
    ground_m: FloatArray, bulge_m: FloatArray, ceiling_agl_m: FloatArray, first: IntArray, clearance_m: float
) -> tuple[FloatArray, FloatArray]:
    """Return the least and greatest height at each sample that keep both pieces it ends within the limits.

    Parameters
    ----------
    ground_m, bulge_m
        As from `ground_along`; the last sample of a line has no bulge of its own.
    ceiling_agl_m
        Ceiling over ground on the piece after each sample, infinite after the last of a line.
    first
        First sample of each line.
    clearance_m
        Least height over ground.
    """
    low, high = np.empty(len(ground_m)), np.empty(len(ground_m))
    for line in range(len(first)):
        end = first[line + 1] if line + 1 < len(first) else len(ground_m)
        before, ceiling_before = 0.0, np.inf
        for k in range(first[line], end):
            bulge = bulge_m[k]
            low[k] = ground_m[k] + clearance_m + max(bulge, before, 0.0)
            high[k] = ground_m[k] + min(bulge, before, 0.0) + min(ceiling_agl_m[k], ceiling_before)
            before, ceiling_before = bulge, ceiling_agl_m[k]
    return low, high


@compiled
def ground_along(
    heights: npt.NDArray[np.float32], u: FloatArray, v: FloatArray, last: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the ground at samples of lines, and how far it rises above the chord halfway to the next sample.

    Parameters
    ----------
    heights
        Heights of the grid, shape (rows, cols).
    u, v
        Column and row of each sample, fractions allowed; lines lie end to end.
    last
        Last sample of each line, in order; its chord has no length.

    Returns
    -------
    ground_m, bulge_m
        One per sample; the ground is nan more than half a step outside the grid, where the rim's height is held.
    """
    rows, cols = heights.shape
    ground_m, bulge_m = np.empty(len(u)), np.zeros(len(u))
    line = 0
    for k in range(len(u)):
        is_last = k == last[line]
        line += is_last
        here_u, here_v = min(max(u[k], 0.0), cols - 1.0), min(max(v[k], 0.0), rows - 1.0)
        d_u = d_v = 0.0
        if not is_last:
            d_u = min(max(u[k + 1], 0.0), cols - 1.0) - here_u
            d_v = min(max(v[k + 1], 0.0), rows - 1.0) - here_v
        col = min(int(here_u + d_u / 2.0), cols - 2)
        row = min(int(here_v + d_v / 2.0), rows - 2)
        a, b = np.float64(heights[row, col]), np.float64(heights[row, col + 1])
        c, d = np.float64(heights[row + 1, col]), np.float64(heights[row + 1, col + 1])
        twist = a - b - c + d
        ground_m[k] = a + (b - a) * (here_u - col) + (c - a + twist * (here_u - col)) * (here_v - row)
        if u[k] < -0.5 or u[k] > cols - 0.5 or v[k] < -0.5 or v[k] > rows - 0.5:
            ground_m[k] = np.nan
        bulge = twist * d_u * d_v * -0.25
        if not math.isnan(bulge):
            bulge_m[k] = bulge
    return ground_m, bulge_m


@compiled
def pull_strings(
    along: FloatArray, low: FloatArray, high: FloatArray, first: IntArray, last: IntArray
) -> tuple[BoolArray, FloatArray]:
    """Return where the taut strings of lines bend (and their ends), and their height there.

    From a bend the string runs straight as long as one slope stays between all limits seen; where the least slope
    allowed passes the greatest, it bends at the limit that was binding, and the search goes on from there.

    Parameters
    ----------
    along, low, high
        Metres along the line and limits of height at each sample; at both ends of a line the limits are equal.
    first, last
        First and last sample of each line.
    """
    touched, height = np.zeros(len(along), dtype=np.bool_), np.zeros(len(along))
    for line in range(len(first)):
        bend, end = first[line], last[line]
        bend_m = low[bend]
        touched[bend], height[bend] = True, bend_m
        least, least_at, most, most_at = -np.inf, bend, np.inf, bend
        k = bend + 1
        while k <= end:
            run = max(along[k] - along[bend], 1e-6)
            low_slope, high_slope = (low[k] - bend_m) / run, (high[k] - bend_m) / run
            if low_slope > most or high_slope < least:
                bend = most_at if low_slope > most else least_at
                bend_m = high[bend] if low_slope > most else low[bend]
                touched[bend], height[bend] = True, bend_m
                least, least_at, most, most_at = -np.inf, bend, np.inf, bend
                k = bend + 1
                continue
            if low_slope >= least:
                least, least_at = low_slope, k
            if high_slope <= most:
                most, most_at = high_slope, k
            k += 1
        touched[end], height[end] = True, low[end]
    return touched, height


@compiled
def steps_between(lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the length of each step from a point to the next, and the direction of it as a unit vector east, north.

    Lengths are great circles by the haversine formula in metres, as in `location.great_circle_m`; points in degrees.
    """
    count = len(lon) - 1
    length_m, east, north = np.empty(count), np.empty(count), np.empty(count)
    radians = math.pi / 180.0
    cos_here = math.cos(lat[0] * radians)
    for k in range(count):
        d_lat, d_lon, cos_next = lat[k + 1] - lat[k], lon[k + 1] - lon[k], math.cos(lat[k + 1] * radians)
        half_phi, half_lambda = math.sin(d_lat * radians / 2.0), math.sin(d_lon * radians / 2.0)
        h = half_phi * half_phi + cos_here * cos_next * half_lambda * half_lambda
        length_m[k] = 2.0 * EARTH_RADIUS_M * math.asin(math.sqrt(min(h, 1.0)))
        d_lon *= (cos_here + cos_next) / 2.0
        turn = max(math.sqrt(d_lon * d_lon + d_lat * d_lat), 1e-12)
        east[k], north[k] = d_lon / turn, d_lat / turn
        cos_here = cos_next
    return length_m, east, north


@compiled
def seconds_in_wind(
    wind: tuple[float, float, float],
    speeds_m_s: tuple[float, float],
    level_m: FloatArray,
    east: FloatArray,
    north: FloatArray,
    exposure: FloatArray,
    vertical_s: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the seconds of each segment in one wind, and its ground speed.

    Parameters
    ----------
    wind
        Its speed in m/s, and the sine and cosine of the direction it comes from.
    speeds_m_s
        Air speed, and the ground speed below which no seconds are believed.
    level_m, east, north, exposure, vertical_s
        Of the segments, as in `flight_energy.Legs`; a level length of 0 means straight up or down, without wind.
    """
    wind_m_s, sine, cosine = wind
    cruise_m_s, slowest_m_s = speeds_m_s
    seconds, ground_m_s = np.empty(len(level_m)), np.empty(len(level_m))
    for k in range(len(level_m)):
        here_m_s = wind_m_s * exposure[k] if level_m[k] > 0.0 else 0.0
        head = here_m_s * sine * east[k] + here_m_s * cosine * north[k]
        squared = head * head + (cruise_m_s * cruise_m_s - here_m_s * here_m_s)
        ground_m_s[k] = math.sqrt(max(squared, 0.0)) - head
        seconds[k] = max(level_m[k] / max(ground_m_s[k], slowest_m_s), vertical_s[k])
    return seconds, ground_m_s


@compiled
def hover_parts(ground_k: float, cooling_c: FloatArray, effort: FloatArray) -> FloatArray:
    """Return the seconds of hovering in air of unit density that take the energy of each segment.

    Parameters
    ----------
    ground_k
        Temperature at the reference height, kelvin.
    cooling_c, effort
        Of the segments, as in `flight_energy.Legs` and `flight_energy.Motion`.
    """
    found = np.empty(len(effort))
    for k in range(len(effort)):
        found[k] = effort[k] * math.sqrt(ground_k - cooling_c[k])
    return found
