// The table of packages and files: sorted, filtered, folded.

// A browser stays quick with this many rows; more are shown on demand.
const MOST_ROWS = 1000;
// A small program is seen at a glance.
const FEW_FILES = 60;

const overview = {
  section: 0,
  key: "name",
  descending: false,
  query: "",
  open: new Set(),
  mostRows: MOST_ROWS,
};

const prefix = index ? commonPrefix(index.packages) : "";
// Names outside of their package's path: absolute ones of programs built by file name.
const shortName = (file) => {
  const path = index.packages[file.package];
  return file.name.startsWith(`${path}/`) ? file.name.slice(path.length + 1) : file.name;
};

const pathParts = (path) =>
  prefix && path.startsWith(prefix) && path.length > prefix.length
    ? [element("span", { class: "prefix" }, prefix), path.slice(prefix.length)]
    : [path];

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

const visibleFiles = () => {
  const words = overview.query.toLowerCase().split(/\s+/).filter(Boolean);
  return index.files
    .map((file, position) => ({ file, position, name: file.name, totals: file.totals[overview.section] }))
    .filter(({ name, totals }) => totals && words.every((word) => name.toLowerCase().includes(word)));
};

const figures = (totals) => [
  element("td", { class: "number covered" }, bar(totals), element("span", { class: "share" }, percentText(totals))),
  element("td", { class: "number uncovered" }, number(totals[0] - totals[1])),
  element("td", { class: "number wide" }, number(totals[0])),
];

const fileRow = (row, label, depth) =>
  element(
    "tr",
    { class: depth ? "file nested" : "file" },
    element(
      "th",
      { scope: "row" },
      element("a", { href: address({ file: row.name, section: overview.section }) }, label),
    ),
    figures(row.totals),
  );

const packageRow = (group, isOpen) => {
  const toggle = () => {
    if (!overview.open.delete(group.name)) overview.open.add(group.name);
    renderOverview();
    document.querySelector(`[data-package="${group.position}"]`)?.focus();
  };
  return element(
    "tr",
    { class: "package" },
    element(
      "th",
      { scope: "row" },
      element(
        "button",
        { type: "button", "aria-expanded": String(isOpen), "data-package": group.position, onclick: toggle },
        element("span", { class: "fold", "aria-hidden": "true" }, "▸"),
        element("span", { class: "path" }, pathParts(group.name)),
      ),
    ),
    figures(group.totals),
  );
};

const rowsByPackage = (files) => {
  const groups = new Map();
  for (const row of files) {
    const position = row.file.package;
    if (!groups.has(position)) groups.set(position, { position, name: index.packages[position], files: [] });
    groups.get(position).files.push(row);
  }
  const sorted = [...groups.values()];
  for (const group of sorted) group.totals = sum(group.files.map((row) => row.totals));
  sorted.sort(compare);
  return sorted.flatMap((group) => {
    const isOpen = overview.query !== "" || overview.open.has(group.name);
    const rows = [() => packageRow(group, isOpen)];
    if (!isOpen) return rows;
    return rows.concat(group.files.sort(compare).map((row) => () => fileRow(row, shortName(row.file), 1)));
  });
};

const renderOverview = () => {
  const files = visibleFiles();
  const isGrouped = document.getElementById("group").checked;
  const rows = isGrouped
    ? rowsByPackage(files)
    : files.sort(compare).map((row) => () => fileRow(row, pathParts(row.name), 0));
  const table = document.getElementById("files");
  table.tBodies[0]?.remove();
  const body = element("tbody");
  body.append(...rows.slice(0, overview.mostRows).map((make) => make()));
  table.append(body);

  const more = document.getElementById("more");
  more.replaceChildren();
  if (rows.length > overview.mostRows) {
    const showAll = () => {
      overview.mostRows = Number.POSITIVE_INFINITY;
      renderOverview();
    };
    more.append(element("button", { type: "button", onclick: showAll }, `Show all ${number(rows.length)} rows`));
  }
  const totals = sum(files.map((row) => row.totals));
  document.getElementById("shown").textContent =
    files.length === 0
      ? index.sections[overview.section].heard
        ? "No file fits the filter"
        : "No counters came from this part: nothing is known of what ran"
      : `${plural(files.length, "file", "files")}, ${percentText(totals)}, ${number(totals[0] - totals[1])} uncovered`;
  for (const heading of table.tHead.rows[0].cells) {
    const isKey = heading.dataset.key === overview.key;
    heading.setAttribute("aria-sort", isKey ? (overview.descending ? "descending" : "ascending") : "none");
  }
  document.getElementById("open-all").disabled = !isGrouped || overview.query !== "";
};

const prepareOverview = () => {
  if (index.files.length <= FEW_FILES) {
    overview.open = new Set(index.packages);
    document.getElementById("open-all").checked = true;
  }
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
    overview.open = new Set(event.target.checked ? index.packages : []);
    renderOverview();
  });
};
