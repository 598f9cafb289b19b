"""A small feed as text, to be damaged in one way at a time."""

import zipfile
from pathlib import Path

TABLES = {
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nB,Valley Bus,https://example.org,Asia/Shanghai\n",
    "stops.txt": (
        "stop_id,stop_name,stop_lat,stop_lon\n"
        "s1,Hub,27.00,103.00\ns2,Bridge,27.01,103.00\ns3,Gorge,27.03,103.00\ns4,Pass,27.04,103.00\n"
    ),
    "routes.txt": "route_id,agency_id,route_short_name,route_long_name,route_type\nL1,B,1,Hub - Pass,3\n",
    "trips.txt": "route_id,service_id,trip_id,direction_id\nL1,daily,t1,0\nL1,daily,t2,1\nL1,market,t3,0\n",
    "stop_times.txt": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n"
        "t1,07:00:00,07:00:00,s1,1,0,1\nt1,,,s2,2,0,0\nt1,,,s3,3,1,0\nt1,07:40:00,07:40:00,s4,5,1,0\n"
        "t2,23:50:00,23:50:00,s4,1,,\nt2,24:30:00,24:31:00,s2,2,,\nt2,25:10:00,25:10:00,s1,3,,\n"
        "t3,06:00:00,06:00:00,s1,1,,\nt3,06:45:00,06:45:00,s4,2,,\n"
    ),
    "calendar.txt": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "daily,1,1,1,1,1,1,0,20260101,20261231\n"
    ),
    "calendar_dates.txt": "service_id,date,exception_type\nmarket,20260508,1\ndaily,20260501,2\n",
    "cargo_trips.txt": (
        "trip_id,max_kg,max_l,max_piece_kg,max_longest_cm,fee_per_kg,fee_per_piece,product_classes\n"
        "t1,150,1200,30,100,0,40,ambient chilled\nt2,100,800,30,,,,\n"
    ),
    "cargo_stops.txt": "stop_id,site_id,board_s,cutoff_s\ns1,hub,120,900\ns1,town,180,960\ns4,pass,60,300\n",
}


def write_folder(folder: Path, **changed: str | None) -> Path:
    """Write the feed as a folder; a keyword (``trips=...``) replaces a table's text, None leaves it out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in TABLES.items():
        content = changed.get(name.removesuffix(".txt"), text)
        if content is not None:
            (folder / name).write_text(content, encoding="utf-8")
    for stem, content in changed.items():
        if content is not None and f"{stem}.txt" not in TABLES:
            (folder / f"{stem}.txt").write_text(content, encoding="utf-8")
    return folder


def zip_folder(folder: Path, path: Path, inside: str = "") -> Path:
    """Zip a feed folder, its tables under `inside`."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, inside + file.name)
    return path
