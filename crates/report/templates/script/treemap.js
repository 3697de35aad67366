// The map of a program: the area of a tile is its statements, its shade how much of it ran.

// More are too small to be hit or read.
const MOST_TILES = 90;
// Directories are opened until there are so many; one that would be most of the map is opened in any case.
const TILES_WANTED = 36;

const shadeOf = ([statements, covered]) => {
  const share = covered / statements;
  return share === 0 ? 0 : share < 0.5 ? 1 : share < 0.75 ? 2 : share < 0.9 ? 3 : 4;
};

// The largest directory gives way to what is in it, while there is room.
const tilesOf = (root) => {
  const contents = (node) => [...node.directories, ...node.files].filter(({ totals }) => totals[0] > 0);
  const bySize = (one, other) => other.totals[0] - one.totals[0];
  let tiles = contents(root).sort(bySize);
  const whole = Math.max(1, root.totals[0]);
  for (;;) {
    const least = tiles.length < TILES_WANTED ? whole / 40 : whole / 6;
    const position = tiles.findIndex((tile) => tile.directories && tile.totals[0] > least);
    if (position === -1) break;
    tiles = tiles.toSpliced(position, 1, ...contents(tiles[position])).sort(bySize);
  }
  return tiles;
};

// Squarified: each strip takes tiles for as long as they become less oblong.
const layOut = (sizes, width, height) => {
  const total = sizes.reduce((one, other) => one + other, 0);
  const areas = sizes.map((size) => (size / total) * width * height);
  const places = [];
  let [left, top, restWidth, restHeight] = [0, 0, width, height];
  const worst = (strip, area, side) => {
    const [most, least] = [Math.max(...strip), Math.min(...strip)];
    return Math.max((side * side * most) / (area * area), (area * area) / (side * side * least));
  };
  for (let first = 0; first < areas.length; ) {
    const side = Math.max(1e-6, Math.min(restWidth, restHeight));
    let [last, area] = [first + 1, areas[first]];
    while (last < areas.length) {
      const wider = areas.slice(first, last + 1);
      if (worst(wider, area + areas[last], side) > worst(wider.slice(0, -1), area, side)) break;
      area += areas[last];
      last += 1;
    }
    const isColumn = restWidth >= restHeight;
    const thickness = area / side;
    let along = 0;
    for (const each of areas.slice(first, last)) {
      const length = each / thickness;
      places.push(
        isColumn
          ? { left, top: top + along, width: thickness, height: length }
          : { left: left + along, top, width: length, height: thickness },
      );
      along += length;
    }
    if (isColumn) [left, restWidth] = [left + thickness, restWidth - thickness];
    else [top, restHeight] = [top + thickness, restHeight - thickness];
    first = last;
  }
  return places;
};

// What a tile has room for.
const tileText = ({ width, height }, name, totals) => [
  width > 44 && height > 24 && element("span", { class: "tile-name" }, name),
  width > 60 && height > 44 && element("span", { class: "tile-share" }, percentText(totals)),
];

const tileOf = (node, place, label) => {
  const isFile = !node.directories;
  const href = isFile
    ? address({ file: node.name, section: overview.section })
    : address({ directory: node.path, section: overview.section });
  const words = `${label}: ${percentText(node.totals)} of ${plural(node.totals[0], "statement", "statements")}`;
  const tile = element(
    "a",
    { class: `tile shade-${shadeOf(node.totals)}`, href, title: words, tabindex: "-1" },
    tileText(place, `${label.split("/").at(-1)}${isFile ? "" : "/"}`, node.totals),
    element("span", { class: "visually-hidden" }, ` ${words}`),
  );
  return setPlace(tile, place);
};

const setPlace = (tile, { left, top, width, height }) => {
  Object.assign(tile.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  return tile;
};

const renderTreemap = (root) => {
  const map = document.getElementById("treemap");
  // Closed, it has no size.
  const { clientWidth: width, clientHeight: height } = map;
  map.replaceChildren();
  if (width === 0 || root.totals[0] === 0) return;
  const tiles = tilesOf(root);
  const [shown, rest] = [tiles.slice(0, MOST_TILES), tiles.slice(MOST_TILES)];
  const remaining = sum(rest.map(({ totals }) => totals));
  const sizes = shown.map(({ totals }) => totals[0]);
  const places = layOut(rest.length > 0 ? [...sizes, remaining[0]] : sizes, width, height);
  const labelOf = (node) => visible(isBelow(node.name, root.path) && root.path ? node.name.slice(root.path.length + 1) : node.name);
  map.append(...shown.map((node, position) => tileOf(node, places[position], labelOf(node))));
  if (rest.length > 0) {
    const words = `${number(rest.length)} smaller, ${percentText(remaining)}`;
    const place = places.at(-1);
    map.append(setPlace(element("span", { class: "tile rest", title: words }, tileText(place, `+ ${number(rest.length)}`, remaining)), place));
  }
  map.querySelector("a")?.setAttribute("tabindex", "0");
};

// One stop for Tab; the arrows go from tile to tile, by size.
const onTreemapKey = (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const tiles = [...event.currentTarget.querySelectorAll("a")];
  const at = tiles.indexOf(document.activeElement);
  if (!step || at === -1) return;
  event.preventDefault();
  const next = tiles[Math.min(tiles.length - 1, Math.max(0, at + step))];
  tiles[at].setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  next.focus();
};
