// What every map page of ours needs: elements whose text is only ever text, and encoded lines.

// el("div.name", { title: "…", onclick: fn }, child, "text", [more])
function el(shape, props, ...children) {
  const [tag, ...classes] = shape.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, part] of Object.entries(value)) node.style.setProperty(key, part);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// Google's encoded polyline, five decimals; latitude comes first in the string.
function decode(text) {
  const points = [];
  let at = 0;
  let lat = 0;
  let lon = 0;
  const next = () => {
    let shift = 0;
    let value = 0;
    let byte;
    do {
      byte = text.charCodeAt(at++) - 63;
      value |= (byte & 0x1f) << shift;
      shift += 5;
    } while (byte >= 0x20);
    return value & 1 ? ~(value >> 1) : value >> 1;
  };
  while (at < text.length) {
    lat += next();
    lon += next();
    points.push([lon / 1e5, lat / 1e5]);
  }
  return points;
}
