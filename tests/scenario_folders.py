"""A small good scenario folder for tests to damage."""

import json
from pathlib import Path

import openpyxl

from geodata.errors import Fault, InputError
from routing.scenario import Scenario, read_scenario

CONFIG = """\
name = "Small day"
service_date = 2025-03-03
timezone = "Europe/Andorra"
currency = "EUR"
synthetic = ["orders"]
credits = ["© OpenStreetMap contributors"]

[files]
streets = "area.osm"
sites = "sites.csv"
fleet = "fleet.toml"
orders = "orders.csv"

[costs]
diesel_per_l = 150
"""
STREETS = '<osm version="0.6"><bounds minlat="42.4" minlon="1.4" maxlat="42.7" maxlon="1.8"/></osm>\n'
SITES = """\
id,name,level,lon,lat,parent,opens_s,closes_s,drone_pads,store_chilled_kg,bus_stop_ids
hub,County hub,county,1.52,42.51,,06:00,72000,2,500,B1;B2
t1,First town,town,1.55,42.55,hub,,,,,
t2,Second town,town,1.60,42.57,hub,,,,,
v1,First village,village,1.56,42.56,t1,,,,,
g1,First group,group,1.57,42.565,v1,,,,,
"""
ORDERS = """\
id,from_site,to_site,weight_kg,volume_l,pieces,product_class,release_s,window_start_s,window_end_s,to_lon,to_lat
o1,hub,t1,1.2,5,1,ambient,27000,,,,
o2,hub,v1,0.8,4,1,vaccine,,08:00,12:00:00,,
o3,v1,hub,20,60,4,cool_produce,,,,,
o4,hub,,0.5,3,1,,,,,1.575,42.56
"""
FLEET = """\
[[vehicle]]
id = "van"
preset = "van_electric"
cost_per_km = 45

[[drone]]
id = "L"
preset = "L"

[[stand]]
type = "van"
site = "hub"
count = 2
operator = "County Post"

[[stand]]
type = "L"
site = "hub"
"""
PRODUCTS = """\
[class.chocolate]
name = "Chocolate"
like = "cool_produce"
high_c = 18
"""


def write_folder(folder: Path, **texts: str) -> Path:
    """Write the good scenario; `config`, `streets`, `sites`, `orders`, `fleet` and `products` replace its texts."""
    names = {"config": "scenario.toml", "streets": "area.osm", "products": "products.toml", "fleet": "fleet.toml"}
    names |= {"sites": "sites.csv", "orders": "orders.csv"}
    good = {"config": CONFIG, "streets": STREETS, "sites": SITES, "orders": ORDERS, "fleet": FLEET}
    folder.mkdir(parents=True, exist_ok=True)
    for part, text in {**good, **texts}.items():
        (folder / names[part]).write_text(text, encoding="utf-8", newline="")
    if "products" in texts:
        config = (folder / "scenario.toml").read_text(encoding="utf-8")
        (folder / "scenario.toml").write_text(config.replace("[files]\n", '[files]\nproducts = "products.toml"\n'))
    return folder


def rename_file(folder: Path, part: str, name: str) -> Path:
    """Let ``scenario.toml`` name another file for a part; return its path."""
    config = folder / "scenario.toml"
    old = {"sites": "sites.csv", "orders": "orders.csv"}[part]
    config.write_text(config.read_text(encoding="utf-8").replace(f'"{old}"', f'"{name}"'), encoding="utf-8")
    return folder / name


def write_workbook(path: Path, lines: list[list[object]], title: str = "Sheet") -> None:
    """Write lines of cells as the only sheet of a workbook."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for line in lines:
        sheet.append(line)
    book.save(path)


def orders_json(*records: dict[str, object]) -> str:
    """Return JSON text of orders, each the first good one with other values."""
    base = {"id": "o1", "from_site": "hub", "to_site": "t1", "weight_kg": 1.2, "volume_l": 5}
    return json.dumps([base | record for record in records])


def read(folder: Path, **options: bool) -> Scenario:
    """Read a scenario folder."""
    return read_scenario(folder, **options)


def faults_of(folder: Path, **options: bool) -> tuple[Fault, ...]:
    """Return the faults a folder is refused with; () when it is read."""
    try:
        read_scenario(folder, **options)
    except InputError as error:
        return error.faults
    return ()


def only_fault(folder: Path) -> Fault:
    """Return the one fault a folder is refused with."""
    faults = faults_of(folder)
    assert len(faults) == 1, [str(fault) for fault in faults]
    return faults[0]
