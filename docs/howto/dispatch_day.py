"""A dispatch system's day with Shanlu: plan the orders, follow the making, report a closed road, fetch the difference.

``python dispatch_day.py http://127.0.0.1:8000 SCENARIO [KEY]`` plans a scenario folder of the service. Only Python's
own library is used, so that every request can be read as it goes over the wire.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

WAIT_S = 600.0


class Service:
    """The service at an address, with an API key where one is needed."""

    def __init__(self, address: str, key: str | None = None) -> None:
        self.address = address.rstrip("/")
        self.headers = {} if key is None else {"Authorization": f"Bearer {key}"}

    def get(self, path: str) -> Any:
        """Return the JSON at a path."""
        with self._open(path) as answer:
            return json.load(answer)

    def send(self, method: str, path: str, body: Any, **headers: str) -> Any:
        """Send JSON and return the answer's."""
        content = json.dumps(body).encode()
        with self._open(path, method, content, {"Content-Type": "application/json", **headers}) as answer:
            return json.load(answer)

    def events(self, path: str) -> Iterator[Any]:
        """Yield the data of server-sent events until the stream ends."""
        with self._open(path) as stream:
            for line in stream:
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])

    def _open(
        self, path: str, method: str = "GET", content: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the address is the operator's own
            self.address + path, content, {**self.headers, **(headers or {})}, method=method
        )
        return urllib.request.urlopen(request, timeout=WAIT_S)  # noqa: S310


def follow(service: Service, plan: dict[str, Any]) -> dict[str, Any]:
    """Print what the service does on a plan until it is finished; return its last status."""
    status = plan
    for status in service.events(plan["links"]["events"]):
        progress = status["progress"] or {}
        print(status["state"], progress.get("stage") or "", progress.get("cost") or "")
    if status["state"] != "successful":
        raise SystemExit(json.dumps(status["error"], indent=1))
    return status


def road_ahead(shapes: dict[str, Any]) -> tuple[int, list[list[float]]]:
    """Return a moment when a vehicle or courier is under way, and two points of a road it will take later."""
    movements = [each for each in shapes["features"] if each["properties"].get("feature") == "movement"]
    ways = [each for each in movements if each["properties"]["kind"] in ("vehicle", "courier")]
    later = next(way for way in ways if way["properties"]["sequence"] > 1 and len(way["geometry"]["coordinates"]) > 2)
    first = next(way for way in ways if way["properties"]["route"] == later["properties"]["route"])
    points = [point[:2] for point in later["geometry"]["coordinates"]]
    middle = len(points) // 2
    return first["properties"]["departure_s"] + 60, points[middle - 1 : middle + 1]


def main(address: str, scenario: str, key: str | None = None) -> dict[str, Any]:
    """Live through a day; return the difference that the closed road made."""
    service = Service(address, key)

    # In the morning the area is prepared once, then the day's orders are planned on it.
    network = service.send("POST", "/v1/networks", {"scenario": {"folder": scenario}})
    while service.get(network["links"]["self"])["state"] in ("accepted", "running"):
        time.sleep(0.5)
    request = {"network": network["id"], "max_iterations": 20}
    plan = service.send("POST", "/v1/plans", request, **{"Idempotency-Key": uuid.uuid4().hex})
    plan = follow(service, plan)
    print(f"{plan['result']['served']} of {plan['result']['orders']} orders, cost {plan['result']['cost']}")

    # Later a driver reports a road closed, and a customer calls with one more order.
    now_s, line = road_ahead(service.get(plan["links"]["geojson"]))
    closed = {
        "type": "Feature",
        "properties": {"kind": "closed"},
        "geometry": {"type": "LineString", "coordinates": line},
    }
    roads = {"type": "FeatureCollection", "features": [closed]}
    service.send("PUT", f"/v1/networks/{network['id']}/closures", roads, **{"Content-Type": "application/geo+json"})
    leg = service.get(plan["links"]["plan"])["orders"][0]["legs"][0]
    late = {"id": "late-1", "from_site": leg["from_place"], "to_site": leg["to_place"], "weight_kg": 1, "volume_l": 3}
    events = {"now_s": now_s, "closures": [closed], "new_orders": [late], "may_move": 10}
    new = service.send("POST", f"/v1/plans/{plan['id']}/replan", events)
    new = follow(service, new)

    difference: dict[str, Any] = service.get(new["links"]["diff"])
    for change in difference["carriers"]:
        print(change["carrier"], "gains", change["gained"], "loses", change["lost"], "shifts", change["shifted_s"], "s")
    print("price of stability", difference["price_of_stability"])
    print(service.get("/v1/orders/late-1")["plans"][0]["status"])
    return difference


if __name__ == "__main__":
    main(*sys.argv[1:])
