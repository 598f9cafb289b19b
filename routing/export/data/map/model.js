// The plan as the page uses it: lines decoded, and where each carrier is at a time.

const FIRST_S = Math.min(DAY_S, ...DATA.routes.map((route) => route.stops[0].arr));
const LAST_S = Math.max(0, ...DATA.routes.map((route) => route.stops[route.stops.length - 1].dep));
const START_S = DATA.routes.length ? Math.floor(FIRST_S / 900) * 900 : 6 * 3600;
const END_S = DATA.routes.length ? Math.ceil(LAST_S / 900) * 900 : 20 * 3600;

function measured(points) {
  const along = [0];
  for (let k = 1; k < points.length; k += 1) {
    const [x0, y0] = points[k - 1];
    const [x1, y1] = points[k];
    const shrink = Math.cos((y0 * Math.PI) / 180);
    along.push(along[k - 1] + Math.hypot((x1 - x0) * shrink, y1 - y0));
  }
  return { points, along };
}

function pointAlong(line, share) {
  const { points, along } = line;
  const wanted = along[along.length - 1] * Math.min(1, Math.max(0, share));
  let low = 0;
  let high = along.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (along[middle] <= wanted) low = middle;
    else high = middle;
  }
  const gap = along[high] - along[low];
  const part = gap > 0 ? (wanted - along[low]) / gap : 0;
  const [x0, y0] = points[low];
  const [x1, y1] = points[high];
  return [x0 + (x1 - x0) * part, y0 + (y1 - y0) * part];
}

DATA.routes.forEach((route, k) => {
  route.index = k;
  route.from = route.stops[0].arr;
  route.until = route.stops[route.stops.length - 1].dep;
  route.stops.forEach((stop, position) => {
    if (!stop.way) return;
    const there = route.stops[position + 1];
    let points = decode(stop.way.line);
    if (points.length < 2) points = [DATA.places[stop.place].at, DATA.places[there.place].at];
    stop.way.course = measured(points);
  });
});
DATA.orders.forEach((order, k) => {
  order.index = k;
});
DATA.places.forEach((place, k) => {
  place.index = k;
  place.calls = [];
});
DATA.unassigned.forEach((entry) => {
  DATA.orders[entry.order].unassigned = entry;
});
for (const route of DATA.routes) {
  route.stops.forEach((stop, position) => {
    if (stop.load.length || stop.unload.length) DATA.places[stop.place].calls.push({ route, stop, position });
  });
}
for (const place of DATA.places) place.calls.sort((a, b) => a.stop.arr - b.stop.arr);

// Where a route's carrier is at a time: { at, moving, position } or null when it is not out.
function whereabouts(route, time) {
  if (time < route.from || time > route.until) return null;
  for (let position = 0; position < route.stops.length; position += 1) {
    const stop = route.stops[position];
    if (time <= stop.dep || !stop.way) return { at: DATA.places[stop.place].at, moving: false, position };
    const arrival = route.stops[position + 1].arr;
    if (time < arrival) {
      const share = (time - stop.dep) / Math.max(1, arrival - stop.dep);
      return { at: pointAlong(stop.way.course, share), moving: true, position };
    }
  }
  return null;
}

// The ways of a route between two stops, as lines.
function waysBetween(route, first, last) {
  return route.stops
    .slice(first, last)
    .filter((stop) => stop.way)
    .map((stop) => stop.way.course.points);
}

// The part of its route that a leg of an order rides.
function waysOfLeg(order, leg) {
  const route = DATA.routes[leg.route];
  const first = route.stops.findIndex((stop) => stop.load.some((handover) => handover.order === order.index)
    && stop.start === leg.load && stop.place === leg.from);
  const last = route.stops.findIndex((stop, k) => k > first && stop.arr === leg.arr && stop.place === leg.to);
  return waysBetween(route, Math.max(0, first), last < 0 ? route.stops.length : last);
}

function busiestTime() {
  let best = START_S;
  let most = -1;
  for (let time = START_S; time <= END_S; time += 300) {
    const count = DATA.routes.filter((route) => time >= route.from && time <= route.until).length;
    if (count > most) [best, most] = [time, count];
  }
  return best;
}
