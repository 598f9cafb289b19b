// Siting map: a slider walks the front; user text only ever enters the page as text nodes.
const DATA = JSON.parse(document.getElementById("data").textContent);
const state = { lang: DATA.lang, step: Math.max(0, DATA.steps.findIndex((step) => step.answer)), today: false };
const COLOURS = ["#2166ac", "#b5287f", "#2e8b57", "#d2691e", "#35307f", "#128a99", "#9a6700", "#8c2d04", "#4b5f73", "#6a3d9a"];
const MINUTES = [[0, "#1a7a4c"], [10, "#79b85a"], [20, "#e0c341"], [35, "#e0872b"], [60, "#b3261e"]];
const SIGNS = { CNY: "¥", EUR: "€", USD: "$", GBP: "£" };
let map = null;
let markers = [];

const say = (key, values = {}) => (DATA.labels[state.lang][key] ?? key).replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
const figure = (value, digits = 1) => value.toLocaleString("en-US", { maximumFractionDigits: digits });
const signed = (value, digits = 1) => (value > 0 ? "+" : value < 0 ? "−" : "±") + figure(Math.abs(value), digits);
const money = (minor) => {
  const text = figure(minor / 100, 0);
  const sign = SIGNS[DATA.report.currency];
  return sign ? sign + text : `${text} ${DATA.report.currency}`;
};
const colourOf = (candidate) => COLOURS[candidate % COLOURS.length];

// --- Panel ----------------------------------------------------------------------------------------------------------

const current = () => DATA.steps[state.step];
const nameOf = (id) => DATA.candidates.find((place) => place.id === id)?.name ?? id;

function drawHead() {
  const { answer, synthetic, one_more_point: more } = DATA.report;
  const proof = answer.proven ? say("proven") : say("gap", { n: figure(answer.gap * 100, 2) });
  const limit = DATA.report.question.within_min ?? 15;
  document.getElementById("head").replaceChildren(
    el("div.title", {}, el("h1", {}, say("title")), el("button.quiet", { onclick: swapLanguage }, state.lang === "zh" ? "English" : "中文")),
    el("p.sub", {}, `${DATA.report.scenario} · ${answer.measure}: ${figure(answer.value, 3)} · ${proof}`),
    more ? el("p.sub", {}, say("one_more", { min: figure(more.mean_min), people: figure(more.people_within, 0), limit })) : "",
    synthetic.length ? el("p.note", {}, say("synthetic", { parts: synthetic.join(", ") })) : "",
  );
}

// The front as a picture: investment to the right, mean minutes upwards, delivery cost by size.
function chart() {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("class", "chart");
  svg.setAttribute("viewBox", "0 0 360 96");
  const xs = DATA.steps.map((step) => step.figures.investment);
  const ys = DATA.steps.map((step) => step.figures.mean_min);
  const zs = DATA.steps.map((step) => step.delivery ?? 0);
  const scaled = (value, all, low, high) => low + ((value - Math.min(...all)) / (Math.max(...all) - Math.min(...all) || 1)) * (high - low);
  const dots = [];
  DATA.steps.forEach((step, k) => {
    const dot = document.createElementNS(ns, "circle");
    dot.setAttribute("cx", scaled(xs[k], xs, 12, 348));
    dot.setAttribute("cy", scaled(ys[k], ys, 84, 12));
    dot.setAttribute("r", step.delivery === null ? 5 : scaled(zs[k], zs, 4, 9));
    dot.setAttribute("fill", k === state.step ? "#0b5cad" : step.alone ? "#9db8d2" : "#d2a1c2");
    dot.style.cursor = "pointer";
    dot.addEventListener("click", () => setStep(k));
    dots.push(dot);
  });
  svg.append(...dots.filter((_, k) => k !== state.step), dots[state.step]);
  return svg;
}

function drawWalk() {
  const step = current();
  const slider = el("input", { id: "slider", type: "range", min: 0, max: DATA.steps.length - 1, value: state.step, "aria-label": say("front"), oninput: (event) => setStep(Number(event.target.value)) });
  const tags = [el("span.tag", {}, say(step.alone ? "alone" : "looped")), step.answer ? el("span.tag.answer", {}, say("answer")) : ""];
  document.getElementById("walk").replaceChildren(
    el("h2", {}, `${say("front")} (${state.step + 1}/${DATA.steps.length})`), chart(), slider,
    el("p.step", {}, el("b", {}, say("set", { n: step.figures.opened })), el("span", {}, tags)),
  );
}

function drawFigures() {
  const now = DATA.report.now;
  const { figures, delivery } = current();
  const line = (label, key, digits = 1) => ({ label, then: figures[key], now: now?.[key], digits });
  const rows = [line(say("mean"), "mean_min"), line(say("old"), "elderly_mean_min"), line(say("worst"), "worst_min"), line(say("far"), "farthest_min")];
  for (const limit of Object.keys(figures.people_within)) {
    rows.push({ label: say("within", { n: limit }), then: figures.people_within[limit], now: now?.people_within[limit], digits: 0, more: true });
  }
  rows.push(line(say("beyond_all"), "people_beyond", 0));
  const cells = rows.map((row) => {
    const better = now && row.then !== row.now ? ((row.then > row.now) === Boolean(row.more) ? "better" : "worse") : "";
    return el("tr", {}, el("td", {}, row.label), now ? el("td", {}, figure(row.now, row.digits)) : "", el(better ? `td.${better}` : "td", {}, figure(row.then, row.digits)));
  });
  const costs = [[say("money"), money(figures.investment)], ...(delivery === null ? [] : [[say("delivery"), money(delivery)]])];
  document.getElementById("figures").replaceChildren(
    el("table", {}, el("tr", {}, el("th"), now ? el("th", {}, say("today")) : "", el("th", {}, say("this"))), cells,
      costs.map(([label, value]) => el("tr", {}, el("td", {}, label), now ? el("td", {}, "") : "", el("td", {}, value)))),
  );
}

function drawPoints() {
  const people = new Map();
  for (const [i, j, share] of current().uses) people.set(j, (people.get(j) ?? 0) + share * DATA.settlements[i].people);
  document.getElementById("points").replaceChildren(
    el("h2", {}, say("points")),
    ...[...current().points].sort(([a], [b]) => DATA.candidates[a].existing - DATA.candidates[b].existing).map(([j, k]) => {
      const place = DATA.candidates[j];
      return el("button.row", { onclick: () => map?.easeTo({ center: place.at, zoom: 13 }) },
        el(place.existing ? "span.dot.existing" : "span.dot", { style: { background: colourOf(j) } }),
        el("span.grow", {}, place.name, el("span.sub", {}, ` · ${place.kinds[k]}`)), el("span.sub", {}, say("people", { n: figure(people.get(j) ?? 0, 0) })));
    }),
  );
}

function drawPrices() {
  const limit = DATA.report.question.within_min ?? 15;
  const rows = DATA.report.prices.map((price) => {
    const places = price.instead.map(nameOf).join(", ");
    const cost = price.possible ? say("price", { min: signed(price.mean_min, 2), people: signed(price.people_within, 0), limit }) : say("impossible");
    return el("div.row", {}, el("span.grow", { title: places }, say(price.move, { place: nameOf(price.place) }),
      el("div.sub", {}, cost), places ? el("div.sub", {}, say(price.move === "in" ? "instead" : "takes", { places })) : ""));
  });
  document.getElementById("prices").replaceChildren(...(rows.length ? [el("h2", {}, say("prices")), ...rows] : []));
}

function drawBeyond() {
  const rows = DATA.report.beyond_reach.map((entry) =>
    el("div.row", {}, el("span.grow", { title: entry.reason }, entry.name),
      el("span.sub", {}, say(entry.by, { n: entry.minutes === null ? "" : figure(entry.minutes, 0), base: entry.base }))));
  document.getElementById("beyond").replaceChildren(...(rows.length ? [el("h2", {}, say("beyond")), ...rows] : []));
}

function drawLegend() {
  const dot = (colour, shape = "") => el(`span.dot${shape}`, { style: { background: colour } });
  document.getElementById("legend").replaceChildren(
    el("div", {}, dot(COLOURS[0]), say("opened")), el("div", {}, dot(COLOURS[0], ".existing"), say("existing")),
    el("div", {}, el("span.dot", { style: { border: "2px solid #8b97a3" } }), say("candidate")),
    el("div", {}, el("span.dot", { style: { background: `linear-gradient(90deg, ${MINUTES.map(([, c]) => c).join(",")})` } }), say("settlement")),
    el("div", {}, el("span", { style: { width: "14px", "border-top": `3px solid ${COLOURS[0]}` } }), say("path")),
    DATA.now ? el("label", {}, el("input", { type: "checkbox", checked: state.today, onchange: (event) => { state.today = event.target.checked; drawSet(); } }), say("show_today")) : "",
  );
}

// --- Map ------------------------------------------------------------------------------------------------------------

const feature = (geometry, properties) => ({ type: "Feature", geometry, properties });
const collection = (features) => ({ type: "FeatureCollection", features });

function wayFeatures(set) {
  return collection(set.uses.flatMap(([i, j]) => {
    const way = DATA.ways[`${i}-${j}`];
    if (!way) return [];
    const line = decode(way);
    return [feature({ type: "LineString", coordinates: [DATA.settlements[i].at, ...line, DATA.candidates[j].at] }, { colour: colourOf(j) })];
  }));
}

function settlementFeatures(set) {
  return collection(DATA.settlements.map((place, i) =>
    feature({ type: "Point", coordinates: place.at }, { settlement: i, people: place.people, minutes: set.minutes[i] ?? -1 })));
}

function pointFeatures(set) {
  const open = new Set(set.points.map(([j]) => j));
  return collection(DATA.candidates.map((place, j) =>
    feature({ type: "Point", coordinates: place.at }, { candidate: j, open: open.has(j), existing: place.existing, colour: colourOf(j) })));
}

function mapStyle() {
  const set = current();
  const roads = collection(Object.entries(DATA.roads).flatMap(([kind, lines]) => lines.map((line) => feature({ type: "LineString", coordinates: decode(line) }, { kind }))));
  const sources = {
    roads: { type: "geojson", data: roads }, ways: { type: "geojson", data: wayFeatures(set) },
    settlements: { type: "geojson", data: settlementFeatures(set) }, points: { type: "geojson", data: pointFeatures(set) },
  };
  const layers = [{ id: "paper", type: "background", paint: { "background-color": "#eef0ea" } }];
  if (DATA.relief) {
    const [west, south, east, north] = DATA.relief.box;
    sources.relief = { type: "image", url: DATA.relief.picture, coordinates: [[west, north], [east, north], [east, south], [west, south]] };
    layers.push({ id: "relief", type: "raster", source: "relief", paint: { "raster-opacity": 0.9, "raster-fade-duration": 0 } });
  }
  layers.push(
    { id: "roads", type: "line", source: "roads", paint: { "line-color": ["match", ["get", "kind"], "major", "#c9a56b", "main", "#cdb896", "#c9c3b6"], "line-width": ["match", ["get", "kind"], "major", 2, "main", 1.4, 0.8] } },
    { id: "ways", type: "line", source: "ways", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": ["get", "colour"], "line-width": 2.4, "line-opacity": 0.75 } },
    { id: "settlements", type: "circle", source: "settlements", paint: {
      "circle-radius": ["interpolate", ["linear"], ["sqrt", ["get", "people"]], 0, 3, 10, 4.5, 60, 12],
      "circle-color": ["case", ["<", ["get", "minutes"], 0], "#6b7280", ["interpolate", ["linear"], ["get", "minutes"], ...MINUTES.flat()]],
      "circle-stroke-color": "#ffffff", "circle-stroke-width": 1, "circle-opacity": 0.9 } },
    { id: "closed", type: "circle", source: "points", filter: ["!", ["get", "open"]], paint: { "circle-radius": 4, "circle-color": "rgba(255,255,255,0.5)", "circle-stroke-color": "#8b97a3", "circle-stroke-width": 1.5 } },
    { id: "existing", type: "circle", source: "points", filter: ["all", ["get", "open"], ["get", "existing"]], paint: { "circle-radius": 12, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": ["get", "colour"], "circle-stroke-width": 2 } },
    { id: "open", type: "circle", source: "points", filter: ["get", "open"], paint: { "circle-radius": 9, "circle-color": ["get", "colour"], "circle-stroke-color": "#ffffff", "circle-stroke-width": 2.5 } },
  );
  return { version: 8, sources, layers };
}

function drawNames(set) {
  for (const marker of markers) marker.remove();
  markers = set.points.map(([j]) => {
    const place = DATA.candidates[j];
    return new maplibregl.Marker({ element: el("div.name", {}, place.name), anchor: "top-left", offset: [8, -22] }).setLngLat(place.at).addTo(map);
  });
}

function drawSet() {
  const set = state.today && DATA.now ? DATA.now : current();
  drawWalk();
  drawFigures();
  drawPoints();
  if (!map?.isStyleLoaded() && document.body.dataset.ready !== "true") return;
  map.getSource("ways").setData(wayFeatures(set));
  map.getSource("settlements").setData(settlementFeatures(set));
  map.getSource("points").setData(pointFeatures(set));
  drawNames(set);
}

function setStep(step) {
  state.step = step;
  state.today = false;
  drawLegend();
  drawSet();
  document.getElementById("slider").focus();
}

function swapLanguage() {
  state.lang = state.lang === "zh" ? "en" : "zh";
  document.documentElement.lang = state.lang === "zh" ? "zh-CN" : "en";
  drawAll();
}

function drawAll() {
  drawHead();
  drawPrices();
  drawBeyond();
  drawLegend();
  drawSet();
  document.getElementById("credits").textContent = [...DATA.report.credits, "MapLibre GL JS"].join(" | ");
}

function showTip(event) {
  const tip = document.getElementById("tip");
  const [found] = map.queryRenderedFeatures(event.point, { layers: ["open", "closed", "settlements"] });
  tip.hidden = !found;
  map.getCanvas().style.cursor = found ? "pointer" : "";
  if (!found) return;
  const { settlement, candidate } = found.properties;
  const set = state.today && DATA.now ? DATA.now : current();
  if (candidate !== undefined) tip.textContent = DATA.candidates[candidate].name;
  else {
    const place = DATA.settlements[settlement];
    const points = set.uses.filter(([i]) => i === settlement).map(([, j, share]) =>
      DATA.candidates[j].name + (share < 0.995 ? ` (${figure(share * 100, 0)} %)` : ""));
    const use = points.length ? say("uses", { place: place.name, n: figure(set.minutes[settlement]), point: points.join(", ") }) : `${place.name}: ${say("nobody")}`;
    tip.textContent = `${use} · ${say("people", { n: figure(place.people, 0) })}`;
  }
  tip.style.transform = `translate(${event.point.x}px, ${event.point.y + 14}px)${event.point.x > map.getContainer().clientWidth - 240 ? " translateX(-100%)" : ""}`;
}

function startMap() {
  const every = [...DATA.settlements, ...DATA.candidates].map((place) => place.at);
  const lons = every.map((at) => at[0]);
  const lats = every.map((at) => at[1]);
  try {
    map = new maplibregl.Map({
      container: "map", style: mapStyle(), attributionControl: false, dragRotate: false, pitchWithRotate: false,
      bounds: [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]], fitBoundsOptions: { padding: { top: 50, bottom: 50, left: 50, right: window.innerWidth > 1100 ? 290 : 50 } },  // beside the legend
    });
  } catch (error) {
    document.getElementById("map").append(el("p", {}, say("no_webgl")));
    console.warn(error);
    return;
  }
  map.addControl(new maplibregl.NavigationControl({ showCompass: false }), "bottom-left");
  map.addControl(new maplibregl.ScaleControl(), "bottom-left");
  map.on("load", () => {
    document.body.dataset.ready = "true";
    drawSet();
  });
  map.on("mousemove", showTip);
}

drawAll();
startMap();
// For tests and for the curious.
window.siting = { data: DATA, state, setStep, map };
