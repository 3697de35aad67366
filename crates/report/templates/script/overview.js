// The list of directories and files with the map above it: sorted, filtered, folded.

// A small program is seen at a glance.
const FEW_FILES = 60;

const overview = { section: 0, directory: "", key: "name", descending: false, query: "", kind: null, open: new Set() };

const prefix = index ? commonPrefix(index.packages) : "";
// Names outside of their package's path: absolute ones of programs built by file name.
const shortName = (file) => {
  const path = index.packages[file.package];
  return file.name.startsWith(`${path}/`) ? file.name.slice(path.length + 1) : file.name;
};

const pathParts = (path) =>
  prefix && path.startsWith(prefix) && path.length > prefix.length
    ? [element("span", { class: "prefix" }, visible(prefix)), visible(path.slice(prefix.length))]
    : [visible(path)];

const compare = (one, other) => {
  const value = (row) => {
    const [statements, covered] = row.totals;
    if (overview.key === "percent") return statements === 0 ? 2 : covered / statements;
    return overview.key === "uncovered" ? statements - covered : statements;
  };
  const byName = one.name < other.name ? -1 : one.name > other.name ? 1 : 0;
  const order = overview.key === "name" ? byName : value(one) - value(other);
  return (overview.descending ? -order : order) || byName;
};

const lowerNames = index?.files.map(({ name }) => name.toLowerCase());

const visibleFiles = () => {
  const words = overview.query.toLowerCase().split(/\s+/).filter(Boolean);
  return index.files
    .map((file, position) => ({ file, position, name: file.name, totals: file.totals[overview.section], kinds: overview.section === 0 ? file.kinds : null }))
    .filter(({ file, position, totals, kinds }) =>
      totals &&
      isBelow(index.packages[file.package], overview.directory) &&
      (overview.kind === null || !kinds || kinds[overview.kind] > 0) &&
      words.every((word) => lowerNames[position].includes(word)));
};

const figures = ({ totals, kinds }) => [
  element("td", { class: "number covered" }, kinds ? kindBar(kinds) : bar(totals), element("span", { class: "share" }, percentText(totals))),
  element("td", { class: "number uncovered" }, number(totals[0] - totals[1])),
  element("td", { class: "number wide" }, number(totals[0])),
];

const indent = (made, depth) => {
  made.style.setProperty("--depth", depth);
  return made;
};

const fileRow = (row, label, depth) =>
  element(
    "tr",
    { class: "file" },
    element("th", { scope: "row" }, indent(element("a", { href: address({ file: row.name, section: overview.section }), title: visible(row.name) }, label, row.file.versions && element("span", { class: "soft" }, ` ${number(row.file.versions)} versions`)), depth)),
    figures(row),
  );

const directoryRow = (node, depth, isOpen) => {
  const toggle = () => {
    if (!overview.open.delete(node.path)) overview.open.add(node.path);
    renderOverview();
    for (const button of document.querySelectorAll("[data-path]")) if (button.dataset.path === node.path) button.focus();
  };
  const button = element(
    "button",
    { type: "button", "aria-expanded": String(isOpen), "data-path": node.path, title: visible(node.path), onclick: toggle },
    element("span", { class: "fold", "aria-hidden": "true" }, "▸"),
    element("span", { class: "path" }, visible(node.label)),
  );
  return element("tr", { class: "package" }, element("th", { scope: "row" }, indent(button, depth)), figures(node));
};

// Functions that make the rows, in order.
const treeRows = (root) => {
  const rows = [];
  const add = (node, depth) => {
    const isOpen = overview.query !== "" || overview.open.has(node.path);
    rows.push(() => directoryRow(node, depth, isOpen));
    if (isOpen) addContents(node, depth + 1);
  };
  const addContents = (node, depth) => {
    for (const child of node.directories.sort(compare)) add(child, depth);
    for (const row of node.files.sort(compare)) rows.push(() => fileRow(row, visible(shortName(row.file)), depth));
  };
  // One package alone is shown with its name all the same.
  if (root.files.length > 0 && root.path) add(root, 0);
  else addContents(root, 0);
  return rows;
};

const renderTrail = () => {
  const trail = document.getElementById("trail");
  trail.hidden = overview.directory === "";
  if (trail.hidden) return;
  const steps = overview.directory.split("/");
  const parts = [element("a", { href: address({ section: overview.section }) }, "all files")];
  steps.forEach((step, at) => {
    const directory = steps.slice(0, at + 1).join("/");
    // Steps that all packages share lead to the same as `all files`.
    const isShared = prefix.startsWith(`${directory}/`);
    const label = visible(step);
    const isLast = at === steps.length - 1;
    parts.push(" / ", isShared ? element("span", { class: "soft" }, label) : isLast ? element("strong", {}, label) : element("a", { href: address({ directory, section: overview.section }) }, label));
  });
  trail.replaceChildren(...parts);
};

const renderKinds = (kinds) => {
  const place = document.getElementById("kinds");
  place.hidden = !hasKinds || overview.section !== 0;
  if (place.hidden) return;
  const chooseKind = (kind) => {
    overview.kind = kind;
    renderOverview();
    document.querySelector("#kinds [aria-pressed=true]")?.focus();
  };
  place.replaceChildren(
    element("span", { class: "kinds-title" }, "Statements by kind of test"),
    ...kindLegend(kinds ?? [], overview.kind, " statements", chooseKind),
  );
};

const renderOverview = () => {
  const files = visibleFiles();
  const isGrouped = document.getElementById("group").checked;
  const root = treeOf(files, overview.directory);
  overview.root = root;
  renderTrail();
  renderKinds(root.kinds);
  renderTreemap(root);
  showRows(
    document.getElementById("files"),
    isGrouped ? treeRows(root) : files.sort(compare).map((row) => () => fileRow(row, pathParts(row.name), 0)),
  );
  const { totals } = root;
  document.getElementById("shown").textContent =
    files.length === 0
      ? index.sections[overview.section].heard
        ? "No file fits the filter"
        : "No counters came from this part: nothing is known of what ran"
      : `${plural(files.length, "file", "files")}, ${percentText(totals)}, ${number(totals[0] - totals[1])} uncovered`;
  for (const heading of document.getElementById("files").tHead.rows[0].cells) {
    const isKey = heading.dataset.key === overview.key;
    heading.setAttribute("aria-sort", isKey ? (overview.descending ? "descending" : "ascending") : "none");
  }
  document.getElementById("open-all").disabled = !isGrouped || overview.query !== "";
};

const allDirectories = () => {
  const paths = [];
  const add = (node) => {
    paths.push(node.path);
    node.directories.forEach(add);
  };
  add(treeOf(visibleFiles(), overview.directory));
  return paths;
};

const prepareOverview = () => {
  // All of a small program.
  overview.open = new Set(index.files.length <= FEW_FILES ? allDirectories() : []);
  document.getElementById("open-all").checked = index.files.length <= FEW_FILES;
  for (const heading of document.querySelectorAll("#files th[data-key]")) {
    heading.querySelector("button").addEventListener("click", () => {
      const { key } = heading.dataset;
      // The first click shows what is worst; for names that is their order.
      const first = key === "uncovered" || key === "statements";
      overview.descending = overview.key === key ? !overview.descending : first;
      overview.key = key;
      renderOverview();
    });
  }
  document.getElementById("filter").addEventListener("input", (event) => {
    overview.query = event.target.value.trim();
    renderOverview();
  });
  document.getElementById("group").addEventListener("change", renderOverview);
  document.getElementById("open-all").addEventListener("change", (event) => {
    overview.open = new Set(event.target.checked ? allDirectories() : []);
    renderOverview();
  });
  document.getElementById("map").addEventListener("toggle", () => renderTreemap(overview.root));
  document.getElementById("treemap").addEventListener("keydown", onTreemapKey);
  // Its tiles have the size of the window they were made for.
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== width && view.file === null) renderTreemap(overview.root);
    width = innerWidth;
  });
  prepareRows();
};
