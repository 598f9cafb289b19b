// Words, figures and DOM elements. User text only ever enters the page as text nodes (`el`), never as markup.

const DATA = JSON.parse(document.getElementById("data").textContent);
const DAY_S = 86400;
const state = { lang: DATA.lang };

function say(key, values) {
  const text = DATA.labels[state.lang][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (values && name in values ? String(values[name]) : whole));
}

function local(texts) {
  return texts[state.lang] || texts.en;
}

function clock(seconds) {
  const day = Math.floor(seconds / DAY_S);
  const rest = Math.floor(seconds - day * DAY_S);
  const two = (value) => String(value).padStart(2, "0");
  const text = `${two(Math.floor(rest / 3600))}:${two(Math.floor((rest % 3600) / 60))}`;
  return day ? `${text} ${day > 0 ? "+" : ""}${day}` : text;
}

function span(from, until) {
  return clock(from) === clock(until) ? clock(from) : `${clock(from)} – ${clock(until)}`;
}

const SIGNS = { CNY: "¥", EUR: "€", USD: "$", GBP: "£" };

function money(minor, digits = 2) {
  const amount = (Math.abs(minor) / 100).toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  const sign = SIGNS[DATA.meta.currency];
  return (minor < 0 ? "-" : "") + (sign ? sign + amount : `${amount} ${DATA.meta.currency}`);
}

function figure(value, digits = 1) {
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

function kilometres(metres) {
  const km = metres / 1000;
  return say("kilometres", { km: figure(km, km < 100 ? 1 : 0) });
}

function countOrders(count) {
  return count === 1 ? say("m_order_1") : say("m_orders_n", { count });
}

function dateText() {
  const [year, month, day] = DATA.meta.date.split("-").map(Number);
  const options = { weekday: "long", year: "numeric", month: "long", day: "numeric", timeZone: "UTC" };
  const lang = state.lang === "zh" ? "zh-CN" : "en-GB";
  return new Intl.DateTimeFormat(lang, options).format(new Date(Date.UTC(year, month - 1, day)));
}

// Pictograms of the kinds of carrier on a 24 × 24 grid, filled by the even-odd rule.
const wheel = (x, y, r = 2.4) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
const GLYPHS = {
  van: `M2.5 6.5h11.5v9H2.5zM15 8.5h3.2l3.3 3.8v3.2H15z${wheel(7, 17)}${wheel(17.5, 17)}`,
  truck: `M1.5 4.5h13v11h-13zM15.5 8h3.6l3.4 3.8v3.7h-7z${wheel(6, 17.2)}${wheel(18, 17.2)}`,
  reefer: `M1.5 4.5h13v11h-13zM7.4 7h1.2v6H7.4zM5 9.4h6v1.2H5zM15.5 8h3.6l3.4 3.8v3.7h-7z${wheel(6, 17.2)}${wheel(18, 17.2)}`,
  tricycle: `M2.5 8h9.5v6.5H2.5zM13 13.2h3.2l1.5-5.4h-2.4V6.1h4.4l2 8.4H13z${wheel(6.5, 16.8)}${wheel(18.6, 16.8)}`,
  ugv: `M3.5 8.5h17v7h-17zM11 4h2v4h-2zM8.5 3.2h7v1.6h-7z${wheel(7.5, 17.2)}${wheel(16.5, 17.2)}`,
  vehicle: `M2.5 11l3-5h9l4 5h3v4.5h-19z${wheel(7, 16.5)}${wheel(17, 16.5)}`,
  bus: `M2.5 5h19v11h-19zM4.5 7v4h4V7zM10 7v4h4V7zM15.5 7v4h4V7z${wheel(7, 17.4)}${wheel(17, 17.4)}`,
  courier: `${wheel(12, 6.4, 3.2)}M5.5 20.5c0-6.2 2.6-9.4 6.5-9.4s6.5 3.2 6.5 9.4z`,
  drone: `${wheel(5.6, 6, 3.4)}${wheel(18.4, 6, 3.4)}${wheel(5.6, 18, 3.4)}${wheel(18.4, 18, 3.4)}M9 9.4h6v5.2H9z`,
};

// What to call a route's carrier: its title, with its kind where the title does not tell it.
function carrierName(route) {
  const isTold = state.lang === "en" && route.title.toLowerCase().includes(route.category);
  return isTold ? route.title : `${say(`cat_${route.category}`)} ${route.title}`;
}

function pictogram(category, colour) {
  return drawing(GLYPHS[category], colour);
}

function drawing(outline, colour) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "glyph");
  svg.setAttribute("aria-hidden", "true");
  svg.style.color = colour;
  const path = document.createElementNS(ns, "path");
  path.setAttribute("d", outline);
  path.setAttribute("fill", "currentColor");
  path.setAttribute("fill-rule", "evenodd");
  svg.append(path);
  return svg;
}
