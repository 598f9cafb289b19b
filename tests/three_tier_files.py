"""Small hand-made instances of family ``3tdppt``, written as the three files of the published format."""

from __future__ import annotations

import random
from pathlib import Path

CITY = """# S name capS cost x y Ts WMax
S A 100 1 10 0 0 {wait}
S B 100 1 20 0 0 {wait}
S P 100 1 60 0 0 {wait}
S Q 100 1 90 0 0 {wait}
# O name x y
O C 0 0
A B
# D name x y
D d1 62 8
P Q
D d2 66 8
P
D d3 92 9
P Q
# L name fleet cap cost first headway runs
L L0 F 40 1 5 10 6
A B
P Q
"""
DEMANDS = "# D load Tl Th\nd1 10 0 60\nd2 12 20 80\nd3 9 0 90\n"
PARAMS = "Lmax 1000\nmaxTrucks 2\nmaxFreightersPerStop 2\ntrucksCap 40\nfreightersCap 25\n"


def write(folder: Path, city: str = CITY, demands: str = DEMANDS, params: str = PARAMS, *, wait: float = 30) -> Path:
    """Write the three files and return the path of the first."""
    (folder / "small.demands").write_text(demands, encoding="utf-8")
    (folder / "small.params").write_text(params, encoding="utf-8")
    path = folder / "small.city"
    path.write_text(city.replace("{wait}", str(wait)), encoding="utf-8")
    return path


def write_random(folder: Path, seed: int, customers: int) -> Path:
    """Write a random instance with two lines, three in-stops, three out-stops, scarce trucks, seats and time."""
    draw = random.Random(seed)
    wait = draw.choice([0, 5, 12, 60])
    outs = {"P": (60, 0), "Q": (85, 10), "R": (70, 40)}
    stops = {"A": (12, 0), "B": (22, 5), "E": (18, 30), **outs}
    rows = [f"S {name} 999 1 {x} {y} 0 {wait}" for name, (x, y) in stops.items()]
    rows += ["O C 0 0", "A B E"]
    demands = []
    for k in range(customers):
        x, y = draw.uniform(55, 100), draw.uniform(-10, 50)
        served = [name for name in outs if draw.random() < 0.7] or ["Q"]
        rows += [f"D d{k} {x:.3f} {y:.3f}", " ".join(served)]
        begin = draw.uniform(0, 60)
        demands.append(f"d{k} {draw.randint(4, 20)} {begin:.2f} {begin + draw.uniform(20, 60):.2f}")
    room = draw.choice([22, 40])
    rows += [f"L L0 F {room} 1 6 {draw.choice([7, 11])} 4", "A B", "P Q"]
    rows += [f"L L1 F {room} 1 3 {draw.choice([9, 14])} 3", "E B", "R Q"]
    params = "Lmax 100000\nmaxTrucks 3\nmaxFreightersPerStop 2\ntrucksCap 38\nfreightersCap 30\n"
    return write(folder, "\n".join(rows) + "\n", "\n".join(demands) + "\n", params)
