// The map: relief, roads, zones, routes, sites and moving carriers. Texts are drawn by labels.js: no font is fetched.

const EMPTY = { type: "FeatureCollection", features: [] };
const COLOURS = {
  paper: "#eef0ea",
  major: "#c9a56b",
  main: "#cdb896",
  minor: "#c3beb2",
  track: "#cbc5b8",
  no_fly: "#c0392b",
  controlled: "#b7791f",
  corridor: "#2e8b57",
  missing: "#b3261e",
  ink: "#1d2730",
};
const LEVELS = ["county", "town", "village", "group"];

function feature(geometry, properties) {
  return { type: "Feature", geometry, properties };
}

function collection(features) {
  return { type: "FeatureCollection", features };
}

function byZoom(...pairs) {
  return ["interpolate", ["exponential", 1.5], ["zoom"], ...pairs];
}

function roadFeatures() {
  return collection(
    Object.entries(DATA.roads).flatMap(([kind, lines]) =>
      lines.map((line) => feature({ type: "LineString", coordinates: decode(line) }, { kind })),
    ),
  );
}

// Carriers take different lanes beside the road's line, so that two on one road can be told apart.
function laneOf(route, lanes) {
  if (!lanes.has(route.carrier)) lanes.set(route.carrier, (lanes.size % 4) + 0.5);
  return lanes.get(route.carrier);
}

function routeFeatures() {
  const lanes = new Map();
  return collection(
    DATA.routes.map((route) =>
      feature(
        { type: "MultiLineString", coordinates: waysBetween(route, 0, route.stops.length) },
        {
          route: route.index,
          colour: route.colour,
          category: route.category,
          lane: route.category === "drone" ? 0 : laneOf(route, lanes),
        },
      ),
    ),
  );
}

function placeFeatures() {
  const missing = new Set(
    DATA.unassigned.flatMap((entry) => {
      const order = DATA.orders[entry.order];
      return [order.from, order.to].filter((place) => DATA.places[place].level !== "county");
    }),
  );
  const ordered = [...DATA.places].sort((a, b) => LEVELS.indexOf(b.level) - LEVELS.indexOf(a.level));
  return collection(
    ordered.map((place) =>
      feature(
        { type: "Point", coordinates: place.at },
        {
          place: place.index,
          level: place.level,
          calls: place.calls.length,
          missing: missing.has(place.index),
          pads: place.pads,
        },
      ),
    ),
  );
}

function zoneFeatures() {
  return collection(DATA.zones.map((zone, k) => feature(zone.geometry, { zone: k, kind: zone.kind })));
}

// A stop sign of slanted lines for areas where no drone may fly.
function hatch(colour) {
  const size = 16;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const pen = canvas.getContext("2d");
  pen.strokeStyle = colour;
  pen.lineWidth = 1.6;
  for (const shift of [-size, 0, size]) {
    pen.beginPath();
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
    pen.stroke();
  }
  return pen.getImageData(0, 0, size, size);
}

// A carrier's badge: its pictogram in white on its colour.
function badge(category, colour) {
  const size = 64;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const pen = canvas.getContext("2d");
  pen.beginPath();
  pen.arc(32, 32, 28, 0, 2 * Math.PI);
  pen.fillStyle = colour;
  pen.fill();
  pen.lineWidth = 5;
  pen.strokeStyle = "#ffffff";
  pen.stroke();
  pen.translate(14, 14);
  pen.scale(1.5, 1.5);
  pen.fillStyle = "#ffffff";
  pen.fill(new Path2D(GLYPHS[category]), "evenodd");
  return pen.getImageData(0, 0, size, size);
}

function mapStyle() {
  const sources = {
    roads: { type: "geojson", data: roadFeatures(), tolerance: 0.2 },
    zones: { type: "geojson", data: zoneFeatures() },
    routes: { type: "geojson", data: routeFeatures(), tolerance: 0.3 },
    focus: { type: "geojson", data: EMPTY, tolerance: 0.3 },
    places: { type: "geojson", data: placeFeatures() },
    ends: { type: "geojson", data: EMPTY },
    carriers: { type: "geojson", data: EMPTY },
  };
  const layers = [{ id: "paper", type: "background", paint: { "background-color": COLOURS.paper } }];
  if (DATA.relief) {
    sources.relief = { type: "image", url: DATA.relief.image, coordinates: DATA.relief.corners };
    layers.push({
      id: "relief",
      type: "raster",
      source: "relief",
      paint: { "raster-opacity": 0.92, "raster-fade-duration": 0 },
    });
  }
  return { version: 8, sources, layers: [...layers, ...roadLayers(), ...zoneLayers(), ...planLayers()] };
}

function roadLayers() {
  const road = (id, kinds, minzoom, paint) => ({
    id,
    type: "line",
    source: "roads",
    minzoom,
    filter: ["in", ["get", "kind"], ["literal", kinds]],
    layout: { "line-cap": "round", "line-join": "round" },
    paint,
  });
  return [
    road("track", ["track"], 11, {
      "line-color": COLOURS.track,
      "line-width": byZoom(11, 0.5, 16, 2),
      "line-dasharray": [3, 2],
    }),
    road("minor", ["minor"], 9, { "line-color": COLOURS.minor, "line-width": byZoom(9, 0.4, 12, 0.9, 16, 5) }),
    road("main-case", ["main", "major"], 8, { "line-color": "#ffffff", "line-width": byZoom(8, 1.2, 12, 3, 16, 11) }),
    road("main", ["main"], 7, { "line-color": COLOURS.main, "line-width": byZoom(7, 0.5, 12, 1.6, 16, 8) }),
    road("major", ["major"], 5, { "line-color": COLOURS.major, "line-width": byZoom(6, 0.7, 12, 2.2, 16, 9) }),
  ];
}

function zoneLayers() {
  const colour = [
    "match",
    ["get", "kind"],
    "no_fly",
    COLOURS.no_fly,
    "corridor",
    COLOURS.corridor,
    COLOURS.controlled,
  ];
  return [
    {
      id: "zone-fill",
      type: "fill",
      source: "zones",
      paint: { "fill-color": colour, "fill-opacity": ["match", ["get", "kind"], "no_fly", 0.1, 0.05] },
    },
    {
      id: "zone-hatch",
      type: "fill",
      source: "zones",
      filter: ["==", ["get", "kind"], "no_fly"],
      paint: { "fill-pattern": "hatch", "fill-opacity": 0.35 },
    },
    {
      id: "zone-line",
      type: "line",
      source: "zones",
      paint: { "line-color": colour, "line-width": 1, "line-opacity": 0.7, "line-dasharray": [4, 2] },
    },
  ];
}

const DASHED = ["drone"];
const DOTTED = ["courier"];
const SOLID = Object.keys(GLYPHS).filter((category) => ![...DASHED, ...DOTTED].includes(category));
const LINE_STYLES = [
  ["solid", SOLID, null],
  ["dashed", DASHED, [2.2, 1.4]],
  ["dotted", DOTTED, [0.1, 1.8]],
];

function wayLayers(source, prefix, width, offset) {
  return LINE_STYLES.map(([name, categories, dashes]) => ({
    id: `${prefix}-${name}`,
    type: "line",
    source,
    filter: ["in", ["get", "category"], ["literal", categories]],
    layout: { "line-cap": name === "dashed" ? "butt" : "round", "line-join": "round" },
    paint: {
      "line-color": ["get", "colour"],
      "line-width": width,
      "line-offset": offset,
      "line-opacity": 0.85,
      ...(dashes ? { "line-dasharray": dashes } : {}),
    },
  }));
}

function planLayers() {
  const lane = ["get", "lane"];
  const offset = byZoom(9, ["*", 0.4, lane], 12, ["*", 1, lane], 16, ["*", 2.4, lane]);
  const radius = (small, large) => byZoom(8, ["*", 0.5, small], 11, small, 15, large);
  const sizes = ["match", ["get", "level"], "county", 8, "town", 5.5, "village", 3.8, 2.4];
  return [
    ...wayLayers("routes", "route", byZoom(8, 1, 12, 2.1, 16, 4), offset),
    {
      id: "focus-case",
      type: "line",
      source: "focus",
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": "#ffffff", "line-width": byZoom(8, 5, 12, 8, 16, 12), "line-opacity": 0.9 },
    },
    ...wayLayers("focus", "focus", byZoom(8, 2.6, 12, 4.2, 16, 7), 0),
    {
      id: "place-missing",
      type: "circle",
      source: "places",
      filter: ["get", "missing"],
      paint: {
        "circle-radius": radius(["+", sizes, 4], ["*", 2, ["+", sizes, 4]]),
        "circle-color": COLOURS.missing,
        "circle-opacity": 0.16,
        "circle-stroke-color": COLOURS.missing,
        "circle-stroke-width": 1.2,
      },
    },
    {
      id: "place",
      type: "circle",
      source: "places",
      paint: {
        "circle-radius": radius(sizes, ["*", 1.9, sizes]),
        "circle-color": ["match", ["get", "level"], "county", COLOURS.ink, "town", "#4b5f73", "#ffffff"],
        "circle-stroke-color": ["match", ["get", "level"], "county", "#ffffff", "town", "#ffffff", COLOURS.ink],
        "circle-stroke-width": ["match", ["get", "level"], "county", 2, "town", 1.5, "village", 1.3, 0.9],
        "circle-opacity": ["case", [">", ["get", "calls"], 0], 1, 0.75],
      },
    },
    {
      id: "ends-line",
      type: "line",
      source: "ends",
      filter: ["==", ["geometry-type"], "LineString"],
      paint: { "line-color": COLOURS.missing, "line-width": 2, "line-dasharray": [2, 2] },
    },
    {
      id: "ends",
      type: "circle",
      source: "ends",
      filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-radius": 11,
        "circle-color": "rgba(255,255,255,0.15)",
        "circle-stroke-color": ["get", "colour"],
        "circle-stroke-width": 3,
      },
    },
    {
      id: "carrier",
      type: "symbol",
      source: "carriers",
      layout: {
        "icon-image": ["get", "badge"],
        "icon-size": byZoom(8, 0.26, 12, 0.4, 16, 0.55),
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        "symbol-sort-key": ["get", "order"],
      },
      paint: { "icon-opacity": ["get", "opacity"] },
    },
  ];
}

function badgeName(route) {
  return `badge-${route.category}-${route.colour}`;
}

function addImages(map) {
  map.addImage("hatch", hatch(COLOURS.no_fly), { pixelRatio: 2 });
  for (const route of DATA.routes) {
    const name = badgeName(route);
    if (!map.hasImage(name)) map.addImage(name, badge(route.category, route.colour), { pixelRatio: 1 });
  }
}

function padded([west, south, east, north], share) {
  const x = Math.max(0.004, (east - west) * share);
  const y = Math.max(0.004, (north - south) * share);
  return [west - x, Math.max(-85, south - y), east + x, Math.min(85, north + y)];
}

// Pixels the time bar and the legend cover.
function freeRoom() {
  const { clientWidth: width, clientHeight: height } = document.getElementById("stage");
  const isWide = width > 700 && height > 420;
  const legend = document.getElementById("legend").offsetWidth + 24;
  return isWide ? { top: 20, bottom: 105, left: 56, right: legend } : { top: 8, bottom: 90, left: 8, right: 8 };
}

function wholeAreaControl() {
  const button = el(
    "button",
    { type: "button", id: "whole" },
    drawing("M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z", "#333333"),
  );
  const holder = el("div.maplibregl-ctrl.maplibregl-ctrl-group", {}, button);
  return {
    onAdd(map) {
      button.title = say("m_whole");
      button.addEventListener("click", () => map.fitBounds(padded(DATA.bounds, 0.02), { padding: freeRoom() }));
      return holder;
    },
    onRemove() {
      holder.remove();
    },
  };
}

function makeMap() {
  const map = new maplibregl.Map({
    container: "map",
    style: mapStyle(),
    bounds: padded(DATA.bounds, 0.02),
    fitBoundsOptions: { padding: freeRoom() },
    maxBounds: padded(DATA.bounds, 1.2),
    minZoom: 4,
    maxZoom: 17,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    fadeDuration: 0,
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "top-left");
  map.addControl(wholeAreaControl(), "top-left");
  map.addControl(new maplibregl.ScaleControl({ maxWidth: 110 }), "bottom-left");
  // Images must be there before the style's first frame asks for them.
  map.on("styleimagemissing", () => addImages(map));
  return map;
}

// --- What is shown now ---------------------------------------------------------------------------------------------

function isShown(route) {
  return !state.hidden.has(route.category);
}

// The routes, lines and end points that the selection is about; null when nothing is selected.
function focusOf(selection) {
  if (!selection) return null;
  if (selection.kind === "route") {
    const route = DATA.routes[selection.index];
    return { parts: [{ route, lines: waysBetween(route, 0, route.stops.length) }], ends: [], line: null };
  }
  if (selection.kind === "order") {
    const order = DATA.orders[selection.index];
    const ends = [
      { at: DATA.places[order.from].at, colour: COLOURS.ink },
      { at: DATA.places[order.to].at, colour: order.legs.length ? COLOURS.corridor : COLOURS.missing },
    ];
    const parts = order.legs.map((leg) => ({ route: DATA.routes[leg.route], lines: waysOfLeg(order, leg) }));
    return { parts, ends, line: parts.length ? null : ends.map((end) => end.at) };
  }
  if (selection.kind === "place") {
    const place = DATA.places[selection.index];
    const routes = [...new Set(place.calls.map((call) => call.route))].filter(isShown);
    const parts = routes.map((route) => ({ route, lines: waysBetween(route, 0, route.stops.length) }));
    return { parts, ends: [{ at: place.at, colour: COLOURS.ink }], line: null, isWide: true };
  }
  return null;
}

function showFocus(map, focus) {
  const features = (focus ? focus.parts : []).map(({ route, lines }) =>
    feature(
      { type: "MultiLineString", coordinates: lines },
      { route: route.index, colour: route.colour, category: route.category },
    ),
  );
  const ends = (focus ? focus.ends : []).map((end) =>
    feature({ type: "Point", coordinates: end.at }, { colour: end.colour }),
  );
  if (focus && focus.line) ends.unshift(feature({ type: "LineString", coordinates: focus.line }, {}));
  map.getSource("focus").setData(collection(features));
  map.getSource("ends").setData(collection(ends));
  for (const [name] of LINE_STYLES) map.setPaintProperty(`route-${name}`, "line-opacity", focus ? 0.16 : 0.85);
}

function showKinds(map) {
  for (const [name, categories] of LINE_STYLES) {
    const shown = categories.filter((category) => !state.hidden.has(category));
    map.setFilter(`route-${name}`, ["in", ["get", "category"], ["literal", shown]]);
  }
}

function showCarriers(map, focus) {
  const inFocus = focus && new Set(focus.parts.map((part) => part.route.index));
  const features = [];
  for (const route of DATA.routes) {
    const spot = isShown(route) ? whereabouts(route, state.time) : null;
    if (!spot) continue;
    const isLit = !inFocus || inFocus.has(route.index);
    features.push(
      feature(
        { type: "Point", coordinates: spot.at },
        {
          route: route.index,
          badge: badgeName(route),
          order: (isLit ? 1000 : 0) + (spot.moving ? 100 : 0),
          opacity: isLit ? 1 : 0.35,
        },
      ),
    );
  }
  map.getSource("carriers").setData(collection(features));
  state.underWay = features.length;
}

function fitFocus(map, focus) {
  const points = [...focus.parts.flatMap((part) => part.lines.flat()), ...focus.ends.map((end) => end.at)];
  if (!points.length) return;
  const lons = points.map((point) => point[0]);
  const lats = points.map((point) => point[1]);
  const bounds = [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
  map.fitBounds(padded(bounds, 0.06), { padding: freeRoom(), maxZoom: 14.5, duration: 500 });
}

const CLICKABLE = ["carrier", "place", ...LINE_STYLES.flatMap(([name]) => [`focus-${name}`, `route-${name}`])];

// The thing under a point of the screen: carriers before sites before lines.
function thingAt(map, point) {
  const box = [
    [point.x - 6, point.y - 6],
    [point.x + 6, point.y + 6],
  ];
  for (const layer of CLICKABLE) {
    const found = map.queryRenderedFeatures(box, { layers: [layer] });
    if (!found.length) continue;
    const { route, place } = nearest(map, point, found).properties;
    return route === undefined ? { kind: "place", index: place } : { kind: "route", index: route };
  }
  return null;
}

function nearest(map, point, found) {
  const distance = (item) => {
    if (item.geometry.type !== "Point") return 0;
    const spot = map.project(item.geometry.coordinates);
    return Math.hypot(spot.x - point.x, spot.y - point.y);
  };
  return found.reduce((best, item) => (distance(item) < distance(best) ? item : best));
}
