"""A whole small scenario by hand, every file of it: a valley of 12 km with a hub, a town, two villages and a group.

The road runs east along 27.00 from the hub (100.00) by the town (100.05) to village v1 (100.10); a branch leads north
from the town to village v2 (100.05, 27.03). Group g1 (100.03, 27.03) has no road. A bus runs from hub to v1. Tests
damage single files.
"""

from pathlib import Path

import gtfs_feeds
from osm_maps import HandMap, write_terrain

CONFIG = """\
name = "Small valley"
service_date = 2026-05-12
timezone = "Asia/Shanghai"
currency = "CNY"
synthetic = ["streets", "terrain", "timetable", "sites", "orders"]

[files]
streets = "area.osm"
terrain = ["terrain.tif"]
timetable = "timetable"
sites = "sites.csv"
fleet = "fleet.toml"
orders = "orders.csv"
airspace = "airspace.geojson"
closures = "closures.geojson"
weather = "weather.csv"
profiles = "profiles.toml"

[solver]
max_iterations = 2
"""
SITES = """\
id,name,level,lon,lat,parent,drone_pads,store_ambient_kg,bus_stop_ids
hub,Hub,county,100.0,27.0,,1,5000,s1
t1,Town,town,100.05,27.0,hub,,500,s2
v1,Village One,village,100.1,27.0,t1,,100,s3
v2,Village Two,village,100.05,27.03,t1,,100,
g1,Group,group,100.03,27.03,v2,,,
"""
ORDERS = """\
id,from_site,to_site,weight_kg,volume_l,to_lon,to_lat
o1,hub,v1,2,6,,
o2,hub,v2,1.5,5,,
o3,v1,hub,10,30,,
o4,hub,,1,4,100.08,27.0005
o5,hub,g1,1,3,,
"""
FLEET = """\
[[vehicle]]
id = "van"
preset = "van_diesel"

[[drone]]
id = "L"
preset = "L"

[[stand]]
type = "van"
site = "hub"
count = 1
operator = "County Post"

[[stand]]
type = "L"
site = "hub"
"""
WEATHER = "hour,temp_c,wind_m_s\n" + "".join(f"{hour},15,2\n" for hour in range(24))
AIRSPACE = '{"type": "FeatureCollection", "features": []}\n'
FEED = {
    "stops": (
        "stop_id,stop_name,stop_lat,stop_lon\ns1,Hub,27.0,100.0\ns2,Town,27.0,100.05\ns3,Village One,27.0,100.1\n"
    ),
    "trips": "route_id,service_id,trip_id,direction_id\nL1,daily,t1,0\n",
    "stop_times": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        "t1,09:00:00,09:00:00,s1,1\nt1,09:10:00,09:11:00,s2,2\nt1,09:25:00,09:25:00,s3,3\n"
    ),
    "calendar_dates": None,
    "cargo_trips": "trip_id,max_kg,max_l,max_piece_kg,fee_per_piece\nt1,100,800,30,200\n",
    "cargo_stops": "stop_id,site_id,board_s,cutoff_s\ns1,hub,120,600\ns2,t1,120,600\ns3,v1,120,600\n",
}
TEXTS = {
    "config": ("scenario.toml", CONFIG),
    "sites": ("sites.csv", SITES),
    "orders": ("orders.csv", ORDERS),
    "fleet": ("fleet.toml", FLEET),
    "weather": ("weather.csv", WEATHER),
    "airspace": ("airspace.geojson", AIRSPACE),
    "closures": ("closures.geojson", AIRSPACE),
    "profiles": ("profiles.toml", ""),
}


def write_day(folder: Path, feed: dict[str, str | None] | None = None, **changed: str) -> Path:
    """Write the scenario; keywords replace the text of a file (``orders=...``), `feed` that of timetable tables."""
    folder.mkdir(parents=True, exist_ok=True)
    streets().write(folder / "area.osm")
    write_terrain(folder / "terrain.tif", (99.95, 26.95, 100.15, 27.1))
    gtfs_feeds.write_folder(folder / "timetable", **{**FEED, **(feed or {})})
    for key, (name, text) in TEXTS.items():
        (folder / name).write_text(changed.get(key, text), encoding="utf-8")
    return folder


def streets() -> HandMap:
    """Return the map of the valley."""
    osm = HandMap()
    trunk = osm.road([(100.0, 27.0), (100.05, 27.0), (100.1, 27.0)])
    branch = osm.road([(100.05, 27.0005), (100.05, 27.03)])
    osm.way([trunk[50], branch[0]], highway="tertiary")
    return osm
