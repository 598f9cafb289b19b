// Names of places over the map, as HTML: the largest first, none over another.

const NAME_ZOOM = { county: 0, town: 8, village: 11.3, group: 13.6 };
const names = DATA.places
  .filter((place) => !place.drop)
  .sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) || b.calls.length - a.calls.length);

// Two sites at one spot (the hub is often a town's station too) would print one name twice.
const seenNames = new Set();
const namedPlaces = names.filter((place) => {
  const key = `${place.name} ${place.at.map((part) => part.toFixed(2))}`;
  if (seenNames.has(key)) return false;
  seenNames.add(key);
  return true;
});

function drawNames(map) {
  const holder = document.getElementById("names");
  const zoom = map.getZoom();
  const { clientWidth: width, clientHeight: height } = map.getContainer();
  const taken = [];
  let slot = 0;
  for (const place of namedPlaces) {
    const isChosen = state.selection && state.selection.kind === "place" && state.selection.index === place.index;
    if (zoom < NAME_ZOOM[place.level] && !isChosen) continue;
    const spot = map.project(place.at);
    if (spot.x < -20 || spot.y < -20 || spot.x > width + 20 || spot.y > height + 20) continue;
    const size = place.level === "county" ? 14 : place.level === "town" ? 12.5 : 11;
    const wide = [...place.name].reduce((sum, char) => sum + (char > "\u2e80" ? 1 : 0.56), 0) * size;
    const box = [spot.x - wide / 2 - 3, spot.y + 6, spot.x + wide / 2 + 3, spot.y + 9 + size * 1.2];
    if (taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) continue;
    taken.push(box);
    const node = holder.children[slot] || holder.appendChild(el("span", {}));
    slot += 1;
    node.textContent = place.name;
    node.className = `name ${place.level}`;
    node.style.transform = `translate(-50%, 0) translate(${spot.x.toFixed(1)}px, ${(spot.y + 7).toFixed(1)}px)`;
    node.hidden = false;
  }
  for (let k = slot; k < holder.children.length; k += 1) holder.children[k].hidden = true;
}
