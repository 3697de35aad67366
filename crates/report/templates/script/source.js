// One file: its source with marks, or what is known of it when the source is missing.

const view = { file: null, section: null, stretches: [], line: 0, overviewScroll: 0 };

// The sign says the same as the colour.
const signs = { hit: ["", ""], miss: ["✗", "never ran"], part: ["◐", "ran in part"] };
const shortCount = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

const countText = (line, mode) => {
  if (line.state === "" || line.state === "miss") return line.state === "" ? "" : "0";
  return mode === "set" ? "✓" : shortCount.format(line.count);
};

// The text of a line, cut where a mark or a token begins or ends.
const codeOf = (line, tokens) => {
  const cuts = new Set([0, line.text.length]);
  for (const [start, end] of [...line.pieces, ...tokens]) cuts.add(start).add(end);
  const at = (ranges, position) => ranges.find(([start, end]) => start <= position && position < end)?.[2];
  const sorted = [...cuts].sort((one, other) => one - other);
  return sorted.slice(0, -1).map((start, position) => {
    const text = line.text.slice(start, sorted[position + 1]);
    const [unit, kind] = [at(line.pieces, start), at(tokens, start)];
    if (!unit && !kind) return text;
    const mark = unit && (unit.count > 0 ? "hit" : "miss");
    return element("span", { class: [mark, kind].filter(Boolean).join(" ") }, text);
  });
};

// Tokens of the whole text, as ranges of each line.
const tokensByLine = (text, lineCount) => {
  const byLine = Array.from({ length: lineCount }, () => []);
  let [line, lineStart] = [0, 0];
  for (const [start, end, kind] of highlight(text)) {
    for (let next = text.indexOf("\n", lineStart); next !== -1 && next < start; next = text.indexOf("\n", lineStart)) {
      lineStart = next + 1;
      line += 1;
    }
    // A comment or a raw string may go on over several lines.
    let [partLine, partStart, from] = [line, lineStart, start];
    while (from < end) {
      const next = text.indexOf("\n", partStart);
      const stop = next === -1 ? text.length : next;
      byLine[partLine]?.push([from - partStart, Math.min(end, stop) - partStart, kind]);
      [partLine, partStart, from] = [partLine + 1, stop + 1, stop + 1];
    }
  }
  return byLine;
};

// A browser lays out only the chunks that are in view; find-in-page still sees all.
const CHUNK_LINES = 400;

const lineRow = (line, at, tokens, { name, section }) => {
  const [sign, words] = signs[line.state] ?? ["", ""];
  const ran = line.state && `ran ${plural(line.count, "time", "times")}`;
  const link = element("a", { href: address({ file: name, line: at + 1, section }) }, String(at + 1));
  return element(
    "tr",
    { id: `L${at + 1}`, class: line.state || null },
    element("td", { class: "line-number" }, link),
    element("td", { class: "count", title: ran || null }, countText(line, index.sections[section].mode)),
    element("td", { class: "sign" }, sign && element("span", { role: "img", "aria-label": words }, sign)),
    element("td", { class: "code" }, codeOf(line, tokens)),
  );
};

const codeTable = (text, lines, place) => {
  const tokens = tokensByLine(text, lines.length);
  const region = element("div", { class: "source", role: "region", "aria-label": "Source", tabindex: "0" });
  region.style.setProperty("--digits", `${String(lines.length).length}ch`);
  for (let first = 0; first < lines.length; first += CHUNK_LINES) {
    const part = lines.slice(first, first + CHUNK_LINES);
    const titles = ["Line", "Count", "Covered", "Source"].map((title) => element("th", { scope: "col" }, title));
    const head = element("thead", { class: "visually-hidden" }, element("tr", {}, titles));
    const rows = part.map((line, at) => lineRow(line, first + at, tokens[first + at], place));
    const chunk = element("div", { class: "chunk" }, element("table", {}, head, element("tbody", {}, rows)));
    chunk.style.setProperty("--lines", part.length);
    region.append(chunk);
  }
  return region;
};

const functionTotals = (shape, counts) => {
  let first = 0;
  return shape.functions.map(([name, length]) => {
    const own = { name, units: [] };
    for (let position = first; position < first + length; position += 1) {
      const [startLine, , endLine, , statements] = shape.units.slice(position * 5, position * 5 + 5);
      own.units.push({ startLine, endLine, statements, count: counts[position] });
    }
    first += length;
    own.totals = sum(own.units.map((unit) => [unit.statements, unit.count > 0 ? unit.statements : 0]));
    own.line = own.units[0]?.startLine;
    return own;
  });
};

const functionList = (functions, { name, section }) =>
  element(
    "details",
    { class: "functions", open: matchMedia("(min-width: 75rem)").matches },
    element("summary", {}, `${plural(functions.length, "function", "functions")}, ${number(functions.filter(({ totals }) => totals[0] > 0 && totals[1] === 0).length)} never ran`),
    element(
      "ul",
      {},
      functions.map((each) =>
        element(
          "li",
          { class: each.totals[0] > 0 && each.totals[1] === 0 ? "never" : null },
          element("a", { href: address({ file: name, line: each.line, section }) }, each.name),
          element("span", { class: "share" }, percentText(each.totals)),
        ),
      ),
    ),
  );

const unitList = (functions, mode) =>
  functions.map((each) =>
    element(
      "section",
      { class: "unit-list" },
      element("h3", {}, element("code", {}, each.name), ` ${percentText(each.totals)}`),
      element(
        "ul",
        {},
        each.units.map(({ startLine, endLine, statements, count }) => {
          const ran = mode === "set" ? "ran" : `ran ${plural(count, "time", "times")}`;
          const where = startLine === endLine ? `line ${startLine}` : `lines ${startLine}–${endLine}`;
          const [mark, words] = count > 0 ? ["✓", ran] : ["✗", "never ran"];
          return element("li", { class: count > 0 ? "hit" : "miss" }, `${mark} ${where}: ${plural(statements, "statement", "statements")}, ${words}`);
        }),
      ),
    ),
  );

const missingNotice = (file, shape) =>
  element(
    "section",
    { class: "notice" },
    element("h2", {}, "The source is not shown"),
    element("p", {}, `${shape.misfit ? "Not used" : "Not found"}: ${shape.misfit ?? file.missing}.`),
    file.candidates.length > 0 && element("p", {}, "It may be one of these:"),
    file.candidates.length > 0 && element("ul", {}, file.candidates.map((path) => element("li", {}, element("code", {}, path)))),
    element("p", {}, "The figures are right all the same. Run podcov where the sources are to see them here."),
  );

const fileHead = (head, totals, section) => {
  const name = element("h1", { class: "path", tabindex: "-1" }, pathParts(head.name));
  const move = (step, words, key) => element("button", { type: "button", onclick: () => goToUncovered(step) }, words, " ", element("kbd", { "aria-hidden": "true" }, key));
  const label = index.sections.length > 1 ? element("span", { class: "soft" }, index.sections[section].label) : null;
  return element(
    "div",
    { class: "file-head" },
    element("a", { href: address({ section }), class: "back" }, "← all files"),
    name,
    element(
      "p",
      { class: "file-figures" },
      bar(totals),
      element("strong", {}, percentText(totals)),
      element("span", {}, `${number(totals[0] - totals[1])} of ${plural(totals[0], "statement", "statements")} uncovered`),
      label,
    ),
    element("p", { class: "moves" }, move(-1, "Previous uncovered", "p"), move(1, "Next uncovered", "n")),
  );
};

const showFile = (position, section) => {
  const head = index.files[position];
  const totals = head.totals[section] ?? [0, 0];
  const file = data(`file-${position}`);
  const place = { name: head.name, section };
  const parts = [fileHead(head, totals, section)];
  view.stretches = [];
  if (file.sections[section]) {
    const [number, counts] = file.sections[section];
    const shape = file.shapes[number];
    const functions = functionTotals(shape, counts);
    if (file.source === null || shape.misfit) {
      parts.push(missingNotice(file, shape), ...unitList(functions, index.sections[section].mode));
    } else {
      const lines = linesOf(file.source, unitsOf(shape, counts));
      view.stretches = stretchesOf(lines);
      parts.push(element("div", { class: "columns" }, functionList(functions, place), codeTable(file.source, lines, place)));
    }
  } else {
    parts.push(element("p", { class: "notice" }, `${index.sections[section].label} does not have this file.`));
  }
  document.getElementById("file").replaceChildren(...parts);
};

const goToLine = (line) => {
  document.querySelector(".source tr.target")?.classList.remove("target");
  view.line = line ?? 0;
  const row = line && document.getElementById(`L${line}`);
  if (!row) return;
  row.classList.add("target");
  row.scrollIntoView({ block: "center" });
};

const goToUncovered = (step) => {
  const { stretches } = view;
  if (stretches.length === 0) {
    announce("Nothing uncovered here");
    return;
  }
  const after = stretches.findIndex((line) => line > view.line);
  const before = stretches.findLastIndex((line) => line < view.line);
  // Past the last comes the first.
  const next = step > 0 ? (after === -1 ? 0 : after) : before === -1 ? stretches.length - 1 : before;
  announce(`Line ${stretches[next]}: uncovered stretch ${next + 1} of ${stretches.length}`);
  visit(address({ file: view.file, line: stretches[next], section: view.section }));
};
