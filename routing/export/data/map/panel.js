// The panel beside the map: figures, kinds, lists and what is known of the thing selected.

const PAGE = 150;

function link(kind, index, text, shape = "button.link") {
  return el(shape, { type: "button", "data-kind": kind, "data-index": index, onclick: () => select(kind, index) }, text);
}

function placeLink(index) {
  return link("place", index, DATA.places[index].name);
}

function orderLink(index) {
  return link("order", index, DATA.orders[index].id);
}

function fact(key, value) {
  return value === null || value === "" ? null : el("div.fact", {}, el("dt", {}, say(key)), el("dd", {}, value));
}

function syntheticParts() {
  const names = DATA.meta.synthetic.map((part) => DATA.labels[state.lang][`part_${part}`] ?? part);
  return names.join(state.lang === "zh" ? "、" : ", ");
}

// --- Head: name, figures, kinds ------------------------------------------------------------------------------------

function drawHead() {
  const { meta, cost, counts, kinds } = DATA;
  const metres = kinds.reduce((sum, kind) => sum + kind.metres, 0);
  const carriers = kinds.reduce((sum, kind) => sum + kind.carriers, 0);
  const tile = (key, value, note, onclick) =>
    el(onclick ? "button.tile" : "div.tile", { type: onclick && "button", onclick }, [
      el("span.value", {}, value),
      el("span.what", {}, say(key)),
      el("span.note", {}, note),
    ]);
  document.getElementById("head").replaceChildren(
    el("div.title", {}, [
      el("div", {}, el("h1", {}, meta.name), el("p.date", {}, dateText())),
      el("div.tools", {}, [
        el("button.quiet", { type: "button", id: "language", onclick: swapLanguage }, say("m_other_lang")),
        el("button.quiet", { type: "button", id: "about", "aria-label": say("m_about"), title: say("m_about"), onclick: () => select("about", 0) }, "i"),
      ]),
    ]),
    meta.synthetic.length ? el("p.synthetic", {}, say("m_synthetic_parts", { parts: syntheticParts() })) : "",
    el("div.tiles", {}, [
      tile("m_cost", money(cost.total, Math.abs(cost.total) >= 1e5 ? 0 : 2), "", () => select("cost", 0)),
      tile("m_served", figure(counts.served), say("m_of", { count: figure(counts.orders) })),
      tile("m_distance", kilometres(metres), ""),
      tile("m_carriers", figure(carriers), say("m_routes_n", { count: DATA.routes.length })),
    ]),
    el("div.kinds", { role: "group" }, kinds.map(kindChip)),
  );
}

function kindChip(kind) {
  const isOn = !state.hidden.has(kind.category);
  return el(
    "button.kind",
    { type: "button", "aria-pressed": String(isOn), "data-category": kind.category, onclick: () => toggle(kind.category) },
    [
      pictogram(kind.category, kind.colour),
      el("span.label", {}, say(`cat_${kind.category}`), el("span.times", {}, ` × ${kind.carriers}`)),
      el("span.figures", {}, [countOrders(kind.orders), kind.metres ? kilometres(kind.metres) : ""].filter(Boolean).join(" · ")),
    ],
  );
}

// --- Lists ---------------------------------------------------------------------------------------------------------

const TABS = [
  ["routes", "m_routes", () => DATA.routes.length],
  ["orders", "m_orders", () => DATA.orders.length],
  ["missing", "m_unserved", () => DATA.unassigned.length + DATA.rejected.length],
];

function drawLists() {
  const search = el("input.search", {
    type: "search",
    id: "search",
    placeholder: say("m_search"),
    "aria-label": say("m_search"),
    autocomplete: "off",
    value: state.query,
    oninput: () => {
      state.query = search.value;
      fill();
    },
    onkeydown: (event) => {
      if (event.key === "Enter") list.querySelector("[data-kind]")?.click();
    },
  });
  const list = el("div.list", { id: "list" });
  const tabs = el(
    "div.tabs",
    { role: "tablist" },
    TABS.map(([tab, key, count]) =>
      el(
        "button.tab",
        {
          type: "button",
          role: "tab",
          "aria-selected": String(state.tab === tab),
          "data-tab": tab,
          onclick: () => {
            state.tab = tab;
            drawLists();
          },
        },
        `${say(key)} `,
        el(`span.badge.${tab}`, {}, figure(count())),
      ),
    ),
  );
  const fill = () => {
    tabs.hidden = state.query.trim() !== "";
    list.replaceChildren(...(state.query.trim() ? searchRows(state.query.trim().toLowerCase()) : tabRows()));
  };
  fill();
  document.getElementById("body").replaceChildren(search, tabs, list);
}

function tabRows() {
  if (state.tab === "orders") return paged(DATA.orders, orderRow);
  if (state.tab === "missing") return missingRows();
  const shown = DATA.routes.filter(isShown);
  const groups = DATA.kinds.map((kind) => shown.filter((route) => route.category === kind.category));
  const ordered = groups.flatMap((routes) => routes.sort((a, b) => a.from - b.from || a.index - b.index));
  return [...paged(ordered, routeRow), shown.length < DATA.routes.length ? showAll() : ""];
}

function showAll() {
  return el("button.more", { type: "button", onclick: () => toggle(null) }, say("m_all_kinds"));
}

function paged(items, row) {
  const rows = items.slice(0, PAGE).map(row);
  if (items.length <= PAGE) return rows.length ? rows : [el("p.empty", {}, say("m_nothing"))];
  const rest = el("div", {});
  const more = el(
    "button.more",
    { type: "button", onclick: () => rest.replaceChildren(...items.slice(PAGE).map(row)) },
    say("m_more", { count: items.length - PAGE }),
  );
  rest.append(more);
  return [...rows, rest];
}

function searchRows(query) {
  const has = (...texts) => texts.some((text) => text.toLowerCase().includes(query));
  const rows = [
    ...DATA.orders.filter((order) => has(order.id)).map(orderRow),
    ...DATA.routes.filter((route) => has(route.id, route.carrier, route.title, route.operator)).map(routeRow),
    ...DATA.places.filter((place) => has(place.id, place.name)).map(placeRow),
  ];
  return rows.length ? rows.slice(0, PAGE) : [el("p.empty", {}, say("m_nothing"))];
}

function row(kind, index, icon, title, note, end) {
  return el(
    "button.row",
    { type: "button", "data-kind": kind, "data-index": index, onclick: () => select(kind, index) },
    el("span.icon", {}, icon),
    el("span.text", {}, el("span.main", {}, title), el("span.sub", {}, note)),
    el("span.end", {}, end),
  );
}

function routeRow(route) {
  const where = route.category === "bus" || route.base === null ? route.operator : DATA.places[route.base].name;
  const note = `${where} · ${countOrders(route.orders.length)}`;
  return row("route", route.index, pictogram(route.category, route.colour), route.title, note, [
    el("span.main", {}, span(route.from, route.until)),
    el("span.sub", {}, route.metres ? kilometres(route.metres) : ""),
  ]);
}

function orderRow(order) {
  const title = order.id;
  const note = `${DATA.places[order.from].name} → ${DATA.places[order.to].name}`;
  const icons = order.legs.map((leg) => {
    const route = DATA.routes[leg.route];
    return pictogram(route.category, route.colour);
  });
  const end = order.legs.length
    ? [el("span.main", {}, clock(order.legs[order.legs.length - 1].arr)), el("span.icons", {}, icons)]
    : [el("span.main.bad", {}, say("m_unserved"))];
  return row("order", order.index, order.cold ? "℃" : "", title, note, end);
}

function placeRow(place) {
  const level = place.drop ? say("drop") : say(`level_${place.level}`);
  return row("place", place.index, el(`i.dot.${place.level}`), place.name, level, "");
}

function missingRows() {
  const rows = DATA.unassigned.map((entry) => {
    const order = DATA.orders[entry.order];
    return el(
      "button.row.missing",
      { type: "button", "data-kind": "order", "data-index": entry.order, onclick: () => select("order", entry.order) },
      el("span.icon.bad", {}, "!"),
      el("span.text", {}, [
        el("span.main", {}, order.id, el("code", {}, entry.reason)),
        el("span.sub", {}, `${DATA.places[order.from].name} → ${DATA.places[order.to].name}`),
        el("span.why", {}, local(entry.text)),
      ]),
    );
  });
  if (DATA.rejected.length) {
    rows.push(el("h3", {}, say("m_rejected")));
    for (const entry of DATA.rejected) {
      rows.push(
        el("div.row.missing", {}, el("span.icon.bad", {}, "×"), [
          el("span.text", {}, [
            el("span.main", {}, `${say("m_row", { row: entry.row })} ${entry.id}`),
            entry.faults.map((fault) => el("span.why", {}, fault)),
          ]),
        ]),
      );
    }
  }
  return rows.length ? rows : [el("p.empty", {}, say("m_served_all"))];
}

// --- Details -------------------------------------------------------------------------------------------------------

const DETAILS = { route: routeDetail, order: orderDetail, place: placeDetail, cost: costDetail, about: aboutDetail };

function drawDetail({ kind, index }) {
  const back = el("button.back", { type: "button", id: "back", onclick: () => select(null) }, `← ${say("m_back")}`);
  document.getElementById("body").replaceChildren(back, el("article.detail", { "data-detail": kind }, DETAILS[kind](index)));
  markTime();
}

function title(icon, text, note) {
  return el("div.heading", {}, icon, el("div", {}, el("h2", {}, text), el("p", {}, note)));
}

function routeDetail(index) {
  const route = DATA.routes[index];
  const most = Math.max(...route.stops.map((stop) => stop.kg));
  return [
    title(
      pictogram(route.category, route.colour),
      route.title,
      `${say(`cat_${route.category}`)} · ${say("route")} ${route.id}`,
    ),
    el("dl.facts", {}, [
      fact("time", span(route.from, route.until)),
      route.metres ? fact("m_distance", kilometres(route.metres)) : null,
      fact("m_orders", countOrders(route.orders.length)),
      fact("m_heaviest", say("kilograms", { kg: figure(most) })),
      fact("operator", route.operator),
      fact("id", route.carrier),
      route.base === null ? null : fact("base", placeLink(route.base)),
    ]),
    isShown(route) ? null : el("p.hint", {}, say("m_hidden")),
    el("h3", {}, say("m_stops")),
    el("ol.line", { style: { "--colour": route.colour } }, route.stops.map(stopItem)),
  ];
}

function stopItem(stop) {
  return el("li", { "data-from": stop.arr, "data-until": stop.dep }, [
    el("div.when", {}, span(stop.arr, stop.dep)),
    el("div.what", {}, [
      placeLink(stop.place),
      goods("unload", stop.unload),
      goods("load", stop.load),
      stop.rests.map(([from, until]) => el("div.goods", {}, `${say("rest")} ${span(from, until)}`)),
      stop.way ? el("div.way", {}, wayText(stop.way)) : null,
    ]),
  ]);
}

function wayText(way) {
  const parts = [say("m_min", { count: Math.round(way.seconds / 60) })];
  if (way.metres) parts.push(kilometres(way.metres));
  if (way.left !== null) parts.push(say("m_battery_left", { wh: figure(way.left, 0) }));
  return parts.join(" · ");
}

function goods(action, handovers) {
  if (!handovers.length) return null;
  const sign = action === "load" ? "▲" : "▼";
  const items = handovers.map((handover) =>
    el("span.good", {}, orderLink(handover.order), handover.note ? el("span.cold", {}, ` ${local(handover.note)}`) : null),
  );
  const head = `${sign} ${say(action)} ${countOrders(handovers.length)}`;
  if (items.length <= 6) return el("div.goods", {}, el("span.deed", {}, head), items);
  return el("details.goods", {}, el("summary", {}, head), items);
}

function orderDetail(index) {
  const order = DATA.orders[index];
  const windows = order.windows.map(([from, until]) => span(from, until)).join(", ");
  return [
    title(
      el(`span.state.${order.legs.length ? "good" : "bad"}`, {}, order.legs.length ? "✓" : "!"),
      order.id,
      `${DATA.places[order.from].name} → ${DATA.places[order.to].name}`,
    ),
    order.unassigned ? missingNote(order.unassigned) : null,
    el("dl.facts", {}, [
      fact("m_from", placeLink(order.from)),
      fact("m_to", placeLink(order.to)),
      fact("m_weight", `${say("kilograms", { kg: figure(order.kg, 2) })} · ${figure(order.l)} l · ${say("pieces", { count: order.pieces })}`),
      fact("m_product", `${order.cold ? "℃ " : ""}${local(order.product)}`),
      order.release ? fact("m_ready", clock(order.release)) : null,
      windows ? fact("m_window", windows) : null,
      order.due === null ? null : fact("m_due", clock(order.due)),
    ]),
    order.legs.length ? [el("h3", {}, say("m_legs")), el("ol.line", {}, legItems(order))] : null,
  ];
}

function missingNote(entry) {
  return el("div.missing-note", {}, [
    el("p", {}, el("code", {}, entry.reason), ` ${local(entry.text)}`),
    entry.fix
      ? [el("h4", {}, say(entry.verified ? "m_fix" : "m_fix_unverified")), el("p", {}, local(entry.fix))]
      : null,
  ]);
}

function legItems(order) {
  return order.legs.flatMap((leg, k) => {
    const route = DATA.routes[leg.route];
    const style = { "--colour": route.colour };
    const handover = route.stops.flatMap((stop) => stop.load).find((item) => item.order === order.index);
    const wait = k ? leg.load - order.legs[k - 1].done : 0;
    const start = el("li", { style, "data-from": leg.load, "data-until": leg.arr }, [
      el("div.when", {}, clock(leg.dep)),
      el("div.what", {}, [
        placeLink(leg.from),
        wait >= 60 ? el("div.way", {}, say("m_wait", { minutes: Math.round(wait / 60) })) : null,
        el("div.ride", {}, [
          pictogram(route.category, route.colour),
          link("route", leg.route, carrierName(route)),
          el("span.sub", {}, say("m_min", { count: Math.round((leg.arr - leg.dep) / 60) })),
        ]),
        handover && handover.note ? el("div.cold", {}, local(handover.note)) : null,
      ]),
    ]);
    if (k < order.legs.length - 1) return [start];
    const end = el("li", { "data-from": leg.arr, "data-until": leg.done }, [
      el("div.when", {}, clock(leg.arr)),
      el("div.what", {}, placeLink(leg.to)),
    ]);
    return [start, end];
  });
}

function placeDetail(index) {
  const place = DATA.places[index];
  const isAllDay = place.opens <= 0 && place.closes >= DAY_S;
  const missing = DATA.unassigned.filter((entry) => {
    const order = DATA.orders[entry.order];
    return order.from === index || order.to === index;
  });
  return [
    title(
      el(`i.dot.${place.level}`, {}),
      place.name,
      `${place.drop ? say("drop") : say(`level_${place.level}`)} · ${place.id}${place.synthetic ? ` · ${say("m_synthetic")}` : ""}`,
    ),
    el("dl.facts", {}, [
      fact("m_elevation", `${figure(place.height, 0)} m`),
      fact("m_open", isAllDay ? say("m_always") : span(place.opens, place.closes)),
      place.pads ? fact("m_pads", String(place.pads)) : null,
    ]),
    el("h3", {}, say("m_here")),
    place.calls.length
      ? el("ol.line", {}, place.calls.map(callItem))
      : el("p.empty", {}, say("m_no_calls")),
    missing.length ? [el("h3", {}, say("m_unserved")), missing.map((entry) => el("p", {}, orderLink(entry.order)))] : null,
  ];
}

function callItem({ route, stop }) {
  return el("li", { style: { "--colour": route.colour }, "data-from": stop.arr, "data-until": stop.dep }, [
    el("div.when", {}, span(stop.arr, stop.dep)),
    el("div.what", {}, [
      el("div.ride", {}, [
        pictogram(route.category, route.colour),
        link("route", route.index, carrierName(route)),
      ]),
      goods("unload", stop.unload),
      goods("load", stop.load),
    ]),
  ]);
}

function costDetail() {
  const { lines, total } = DATA.cost;
  const entries = Object.entries(lines).filter(([, amount]) => amount !== 0);
  const most = Math.max(1, ...entries.map(([, amount]) => amount));
  return [
    title("", money(total), say("m_cost_lines")),
    el("div.costs", {}, [
      entries.map(([name, amount]) =>
        el("div.cost", {}, [
          el("span", {}, say(`cost_${name}`)),
          el("span.bar", {}, el("i", { style: { width: `${(Math.max(0, amount) / most) * 100}%` } })),
          el("span.amount", {}, money(amount)),
        ]),
      ),
    ]),
  ];
}

function aboutDetail() {
  const { meta } = DATA;
  return [
    title("", meta.name, dateText()),
    el("dl.facts.wide", {}, [
      fact("m_credits", meta.credits.join(" · ")),
      meta.synthetic.length ? fact("m_synthetic", syntheticParts()) : null,
      meta.only.length ? fact("m_only", meta.only.join(", ")) : null,
      fact("m_seed", String(meta.seed)),
      fact("m_digest", el("code", {}, meta.digest)),
      fact("m_versions", Object.entries(meta.versions).map(([name, version]) => `${name} ${version}`).join(", ")),
    ]),
  ];
}

// Marks what is past, and what is going on, in the timeline shown.
function markTime() {
  for (const item of document.querySelectorAll("#body li[data-from]")) {
    const isNow = state.time >= Number(item.dataset.from) && state.time <= Number(item.dataset.until);
    item.classList.toggle("now", isNow);
    item.classList.toggle("past", state.time > Number(item.dataset.until));
  }
}
