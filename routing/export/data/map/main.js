// Puts the page together: one state, one way to change it, everything drawn from it.

Object.assign(state, {
  time: busiestTime(),
  playing: false,
  speed: 300,
  hidden: new Set(),
  tab: "routes",
  query: "",
  selection: null,
  underWay: 0,
});

let map = null;
let focus = null;
let isReady = false;

function select(kind, index, options = {}) {
  state.selection = kind ? { kind, index } : null;
  focus = focusOf(state.selection);
  if (state.selection) drawDetail(state.selection);
  else drawLists();
  showPanelTop();
  if (!isReady) return;
  showFocus(map, focus);
  showCarriers(map, focus);
  drawNames(map);
  if (focus && !focus.isWide && !options.stay) fitFocus(map, focus);
}

// A detail begins at the top of the panel; on a phone, right under the map.
function showPanelTop() {
  document.body.classList.toggle("detailed", state.selection !== null);
  document.getElementById("panel").scrollTop = 0;
  if (window.matchMedia("(max-width: 860px)").matches && state.selection) window.scrollTo({ top: 0 });
}

function toggle(category) {
  if (category === null) state.hidden.clear();
  else if (state.hidden.has(category)) state.hidden.delete(category);
  else state.hidden.add(category);
  drawHead();
  if (state.selection) drawDetail(state.selection);
  else drawLists();
  timeBar.dress();
  if (!isReady) return;
  showKinds(map);
  focus = focusOf(state.selection);
  showFocus(map, focus);
  showCarriers(map, focus);
}

function swapLanguage() {
  state.lang = state.lang === "zh" ? "en" : "zh";
  document.documentElement.lang = state.lang === "zh" ? "zh-CN" : "en";
  drawAll();
}

function drawAll() {
  drawHead();
  if (state.selection) drawDetail(state.selection);
  else drawLists();
  drawLegend();
  drawCredits();
  timeBar.dress();
}

function drawCredits() {
  const { credits } = DATA.meta;
  const parts = credits.length ? [`${say("m_credits")}: ${credits.join(" · ")}`] : [say("m_no_credits")];
  parts.push("MapLibre GL JS");
  document.getElementById("credits").textContent = parts.join(" | ");
}

function drawLegend() {
  const zones = ["no_fly", "controlled", "corridor"].filter((kind) => DATA.zones.some((zone) => zone.kind === kind));
  const line = (kind) => {
    const style = DASHED.includes(kind.category) ? "dashed" : DOTTED.includes(kind.category) ? "dotted" : "solid";
    return el("li", {}, el("i.stroke", { style: { "border-top": `3px ${style} ${kind.colour}` } }), say(`cat_${kind.category}`));
  };
  const levels = LEVELS.filter((level) => DATA.places.some((place) => place.level === level));
  document.getElementById("legend").replaceChildren(
    el("details", { open: window.innerWidth > 900 }, [
      el("summary", {}, say("m_legend")),
      el("ul", {}, [
        DATA.kinds.map(line),
        levels.map((level) => el("li", {}, el("span.mark", {}, el(`i.dot.${level}`)), say(`level_${level}`))),
        DATA.unassigned.length ? el("li", {}, el("span.mark", {}, el("i.dot.unserved")), say("m_unserved")) : null,
        zones.map((kind) => el("li", {}, el(`i.patch.${kind}`), say(`m_zone_${kind}`))),
      ]),
    ]),
  );
}

function showTime() {
  if (isReady) showCarriers(map, focus);
  markTime();
}

function showTip(event) {
  const tip = document.getElementById("tip");
  const thing = thingAt(map, event.point);
  map.getCanvas().style.cursor = thing ? "pointer" : "";
  tip.hidden = !thing;
  if (!thing) return;
  const place = DATA.places[thing.index];
  const route = DATA.routes[thing.index];
  tip.textContent =
    thing.kind === "place"
      ? `${place.name} · ${place.drop ? say("drop") : say(`level_${place.level}`)}`
      : `${carrierName(route)} · ${span(route.from, route.until)} · ${countOrders(route.orders.length)}`;
  const isRight = event.point.x > map.getContainer().clientWidth - 220;
  tip.style.transform = `translate(${event.point.x}px, ${event.point.y + 14}px)${isRight ? " translateX(-100%)" : ""}`;
}

function startMap() {
  try {
    map = makeMap();
  } catch (error) {
    document.getElementById("map").append(el("p.no-map", {}, say("m_no_webgl")));
    console.warn(error);
    return;
  }
  map.on("load", () => {
    isReady = true;
    showKinds(map);
    showFocus(map, focus);
    timeBar.setTime(state.time);
    drawNames(map);
    document.body.dataset.ready = "true";
  });
  map.on("move", () => drawNames(map));
  map.on("click", (event) => {
    const thing = thingAt(map, event.point);
    if (thing) select(thing.kind, thing.index, { stay: true });
    else if (state.selection) select(null);
  });
  if (window.matchMedia("(hover: hover)").matches) {
    map.on("mousemove", showTip);
    map.on("mouseout", () => (document.getElementById("tip").hidden = true));
  }
}

const timeBar = makeClock(showTime);
drawAll();
timeBar.setTime(state.time);
startMap();
new ResizeObserver(() => timeBar.dress()).observe(document.getElementById("clock"));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && state.selection) select(null);
  if (event.key === " " && event.target === document.body) {
    event.preventDefault();
    timeBar.setPlaying(!state.playing);
  }
});

// Back to the page as it opens, but for the time and the map's view.
function reset() {
  Object.assign(state, { lang: DATA.lang, tab: "routes", query: "", selection: null });
  timeBar.setPlaying(false);
  toggle(null);
  drawAll();
  select(null);
}

// For tests and for the curious.
window.shanlu = { map, data: DATA, state, select, reset, whereabouts, setTime: timeBar.setTime };
