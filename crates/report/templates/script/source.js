// One file: its source with marks, or what is known of it when the source is missing.

const view = {
  file: null,
  // What is known of it, as soon as it is unpacked.
  data: null,
  section: null,
  // Of a file that builds have in several versions: the builds whose version is wanted.
  version: null,
  lines: [],
  stretches: [],
  line: 0,
  overviewScroll: 0,
  tests: null,
  test: null,
  kindParts: [],
  sectionParts: () => [],
};

// The sign says the same as the colour.
const signs = { hit: ["", ""], miss: ["✗", "never ran"], part: ["◐", "ran in part"] };
const shortCount = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

const countText = (line, mode) => {
  if (line.state === "" || line.state === "miss") return line.state === "" ? "" : "0";
  return mode === "set" ? "✓" : shortCount.format(line.count);
};

// Text in which nothing moves or hides the rest: such characters stay for those who copy it, and are named for those who read.
const plainText = (text) => {
  if (text.search(hidden) === -1) return [text];
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(hidden)) {
    parts.push(text.slice(from, match.index), element("span", { class: "hidden-character", "data-name": codePoint(match[0]) }, match[0]));
    from = match.index + match[0].length;
  }
  return [...parts, text.slice(from)];
};

// The text of a line, cut where a mark or a token begins or ends.
const codeOf = (line, tokens) => {
  const cuts = new Set([0, line.text.length]);
  for (const [start, end] of [...line.pieces, ...tokens]) cuts.add(start).add(end);
  const at = (ranges, position) => ranges.find(([start, end]) => start <= position && position < end)?.[2];
  const sorted = [...cuts].sort((one, other) => one - other);
  return sorted.slice(0, -1).flatMap((start, position) => {
    const text = line.text.slice(start, sorted[position + 1]);
    const [unit, kind] = [at(line.pieces, start), at(tokens, start)];
    if (!unit && !kind) return plainText(text);
    const mark = unit && (unit.count > 0 ? "hit" : "miss");
    return [element("span", { class: [mark, kind].filter(Boolean).join(" ") }, plainText(text))];
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
// Of a longer file, chunks are made when they come near the view.
const LONG_FILE = 6000;

const byText = (line, at) => {
  const parts = [];
  if (hasKinds && line.state) parts.push(element("span", { class: `kind-tag ${kindClass(line.kinds)}` }, kindName(line.kinds)));
  const tests = view.tests?.[at];
  if (tests && line.state) parts.push(element("span", { class: "soft" }, plural(tests.size, "test", "tests")));
  return parts;
};

const lineRow = (line, at, tokens, { name, section }) => {
  const [sign, words] = signs[line.state] ?? ["", ""];
  const ran = line.state && `ran ${plural(line.count, "time", "times")}`;
  const link = element("a", { href: address({ file: name, line: at + 1, section }), tabindex: "-1" }, String(at + 1));
  const count = countText(line, index.sections[section].mode);
  const tell = () => showLineDetails(at + 1);
  const classes = [line.state, isDimmed(line, at) && "dimmed", view.line === at + 1 && "target"].filter(Boolean);
  return element(
    "tr",
    { id: `L${at + 1}`, class: classes.join(" ") || null },
    element("td", { class: "line-number" }, link),
    element("td", { class: "count", title: ran || null }, count && element("button", { type: "button", tabindex: "-1", onclick: tell }, count)),
    element("td", { class: "sign" }, sign && element("span", { role: "img", "aria-label": words, title: words }, sign)),
    (hasKinds || view.tests) && element("td", { class: "by" }, byText(line, at)),
    element("td", { class: "code" }, codeOf(line, tokens)),
  );
};

const fillChunk = (chunk) => chunk.fill?.();

const codeTable = (text, lines, place) => {
  const tokens = tokensByLine(text, lines.length);
  const region = element("div", { class: "source", role: "region", "aria-label": "Source", tabindex: "0" });
  region.style.setProperty("--digits", `${String(lines.length).length}ch`);
  const titles = ["Line", "Count", "Covered", ...(hasKinds || view.tests ? ["Ran by"] : []), "Source"];
  const observer = new IntersectionObserver(
    (seen) => seen.filter(({ isIntersecting }) => isIntersecting).forEach(({ target }) => fillChunk(target)),
    { rootMargin: "1500px" },
  );
  for (let first = 0; first < lines.length; first += CHUNK_LINES) {
    const part = lines.slice(first, first + CHUNK_LINES);
    const chunk = element("div", { class: "chunk", "data-first": first });
    chunk.style.setProperty("--lines", part.length);
    chunk.fill = () => {
      const head = element("thead", { class: "visually-hidden" }, element("tr", {}, titles.map((title) => element("th", { scope: "col" }, title))));
      const rows = part.map((line, at) => lineRow(line, first + at, tokens[first + at], place));
      chunk.replaceChildren(element("table", {}, head, element("tbody", {}, rows)));
      chunk.fill = null;
      chunk.classList.remove("empty");
    };
    if (lines.length > LONG_FILE) {
      chunk.classList.add("empty");
      observer.observe(chunk);
    } else {
      chunk.fill();
    }
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
          element("a", { href: address({ file: name, line: each.line, section }) }, visible(each.name)),
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
      element("h3", {}, element("code", {}, visible(each.name)), ` ${percentText(each.totals)}`),
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
    file.candidates.length > 0 && element("ul", {}, file.candidates.map((path) => element("li", {}, element("code", {}, visible(path))))),
    element("p", {}, "The figures are right all the same. Run podcov where the sources are to see them here."),
  );

// The nearest file, by name, of which something is uncovered.
const fileBeside = (name, section, step) => {
  const { files } = index;
  const isWorthALook = (file) => file?.totals[section] && file.totals[section][0] > file.totals[section][1];
  let at = files.findIndex((file) => file.name === name) + step;
  while (files[at] && !isWorthALook(files[at])) at += step;
  return files[at]?.name;
};

const linkToFileBeside = (name, section, step, words, key) => {
  const file = fileBeside(name, section, step);
  return file && element("a", { href: address({ file, section }), title: visible(file) }, words, " ", element("kbd", { "aria-hidden": "true" }, key));
};

// Explains the signs by how many lines have them.
const signCounts = (lines) =>
  ["miss", "part"].map((state) => {
    const count = lines.filter((line) => line.state === state).length;
    const [sign, words] = signs[state];
    return count > 0 && element("span", { class: state }, element("span", { "aria-hidden": "true" }, `${sign} `), `${plural(count, "line", "lines")} ${words}`);
  });

const fileHead = (head, totals, section, lines) => {
  const name = element("h1", { class: "path", tabindex: "-1" }, pathParts(head.name));
  const move = (step, words, key) => element("button", { type: "button", onclick: () => goToStretch(step) }, words, " ", element("kbd", { "aria-hidden": "true" }, key));
  return element(
    "div",
    { class: "file-head" },
    element(
      "nav",
      { class: "back", "aria-label": "Files" },
      element("a", { href: address({ section, directory: overview.directory }) }, "← all files"),
      linkToFileBeside(head.name, section, -1, "previous file", "["),
      linkToFileBeside(head.name, section, 1, "next file", "]"),
    ),
    name,
    element(
      "p",
      { class: "file-figures" },
      section === 0 && head.kinds && !head.versions ? kindBar(head.kinds) : bar(totals),
      element("strong", {}, percentText(totals)),
      element("span", {}, `${number(totals[0] - totals[1])} of ${plural(totals[0], "statement", "statements")} uncovered`),
      signCounts(lines),
    ),
    element("p", { class: "moves" }, move(-1, "Previous uncovered", "p"), move(1, "Next uncovered", "n")),
  );
};

// What is chosen in the legend or in the list of tests; all other lines step back.
const isWanted = (line, at) => {
  if (view.test !== null) return view.tests[at]?.has(view.test) ?? false;
  if (overview.kind !== null && hasKinds && view.section === 0) return line.state !== "" && line.kinds === overview.kind;
  return line.state === "miss" || line.state === "part";
};
const isChosen = () => view.test !== null || (overview.kind !== null && hasKinds && view.section === 0);
const isDimmed = (line, at) => isChosen() && !isWanted(line, at);

const showAgain = () => {
  const [scroll, line] = [scrollY, view.line];
  showFile(index.files.findIndex(({ name }) => name === view.file), view.section);
  view.line = line;
  document.getElementById(`L${line}`)?.classList.add("target");
  scrollTo(0, scroll);
};

const partPicker = (name, section) => {
  if (index.sections.length < 2) return null;
  const options = index.sections.map(({ label }, at) => element("option", { value: at, selected: at === section }, visible(label)));
  const select = element("select", {}, options);
  select.addEventListener("change", () => visit(address({ file: name, line: view.line || undefined, section: Number(select.value) })));
  return element("label", { class: "picker" }, "Part ", select);
};

// What each part has of the file: of several versions, of the one that is wanted. A part with one version shows that.
const versionOf = (file, section) => {
  if (!file.versions) return file;
  const having = file.versions.filter(({ sections }) => sections[section]);
  const own = having.find(({ only }) => only.includes(section));
  return own ?? having.find(({ label }) => label === view.version) ?? having[0] ?? file.versions[0];
};

const versionPicker = (file, { name, section }, shown) => {
  if (!file.versions) return [];
  const choices = shown.only.includes(section) ? [shown] : file.versions.filter(({ sections }) => sections[section]);
  const options = choices.map(({ label }) => element("option", { value: label, selected: label === shown.label }, visible(label)));
  const select = element("select", { id: "version-picker" }, options);
  select.addEventListener("change", () => visit(address({ file: name, section, version: select.value })));
  const others = file.versions.length - 1;
  return [
    element(
      "div",
      { class: "notice versions" },
      element("label", { class: "picker" }, "Version of ", select),
      element("p", {}, `Builds have ${plural(others, "other version", "other versions")} of this file. Functions with the same positions in several versions are added up; all others are of this one alone.`),
    ),
  ];
};

const testPicker = () => {
  const known = [...new Set((view.tests ?? []).flatMap((tests) => [...(tests ?? [])]))].sort((one, other) => one - other);
  if (known.length === 0) return null;
  const options = known.map((test) => element("option", { value: test, selected: test === view.test }, visible(index.tests[test].name)));
  const select = element("select", { id: "test-picker" }, element("option", { value: "" }, "any test"), options);
  select.addEventListener("change", () => {
    view.test = select.value === "" ? null : Number(select.value);
    showAgain();
    document.getElementById("test-picker").focus();
  });
  return element("label", { class: "picker" }, "Lines run by ", select);
};

const fileControls = (lines, { name, section }) => {
  const byKinds = new Array(allKinds + 1).fill(0);
  for (const line of lines) if (line.state) byKinds[line.kinds] += 1;
  const chooseKind = (kind) => {
    overview.kind = kind;
    showAgain();
    document.querySelector("#file .kind-choice[aria-pressed=true]")?.focus();
  };
  const parts = [
    partPicker(name, section),
    testPicker(),
    hasKinds && section === 0 && element("div", { class: "kinds", role: "group", "aria-label": "Lines by kind of test" }, kindLegend(byKinds, overview.kind, " lines", chooseKind)),
  ].filter(Boolean);
  return parts.length > 0 ? [element("div", { class: "file-controls" }, parts)] : [];
};

// The lines of each section or kind that has the file and is of the version that is shown.
const linesOfParts = (file, parts) =>
  parts.map((part) => {
    if (!part || file.source === null || file.shapes[part[0]].misfit) return null;
    return { lines: linesOf(file.source, unitsOf(file.shapes[part[0]], part[1])) };
  });

const addKinds = (lines) =>
  lines.forEach((line, at) => {
    line.kinds = view.kindParts.reduce((kinds, part, kind) => {
      const state = part?.lines[at]?.state;
      return state === "hit" || state === "part" ? kinds | (1 << kind) : kinds;
    }, 0);
  });

const once = (compute) => {
  let value;
  return () => (value ??= compute());
};

const showFile = (position, section) => {
  const head = index.files[position];
  const file = view.data;
  const shown = versionOf(file, section);
  const place = { name: head.name, section };
  const parts = [];
  Object.assign(view, { lines: [], stretches: [], tests: null, kindParts: [], sectionParts: () => [] });
  if (shown.sections[section]) {
    const [number, counts] = shown.sections[section];
    const shape = file.shapes[number];
    const functions = functionTotals(shape, counts);
    const totals = file.versions ? sum(functions.map((each) => each.totals)) : head.totals[section];
    const isShown = file.source !== null && !shape.misfit;
    const lines = isShown ? linesOf(file.source, unitsOf(shape, counts)) : [];
    parts.push(fileHead(head, totals, section, lines), ...versionPicker(file, place, shown));
    if (!isShown) {
      parts.push(missingNotice(file, shape), ...unitList(functions, index.sections[section].mode));
    } else {
      view.lines = lines;
      view.kindParts = linesOfParts(file, shown.kinds ?? []);
      view.sectionParts = once(() => linesOfParts(file, shown.sections));
      view.tests = file.tests ? testsByLine(file.tests, lines.length) : null;
      if (!view.tests?.some((tests) => tests?.has(view.test))) view.test = null;
      addKinds(lines);
      view.stretches = stretchesOf(lines, isWanted);
      parts.push(...fileControls(lines, place));
      parts.push(element("div", { class: "columns" }, functionList(functions, place), codeTable(file.source, lines, place)));
    }
  } else {
    parts.push(fileHead(head, [0, 0], section, []), element("p", { class: "notice" }, `${visible(index.sections[section].label)} does not have this file.`));
  }
  document.getElementById("file").replaceChildren(...parts);
};

const rowOf = (line) => {
  const chunk = document.querySelector(`.chunk[data-first="${Math.floor((line - 1) / CHUNK_LINES) * CHUNK_LINES}"]`);
  if (chunk) fillChunk(chunk);
  return document.getElementById(`L${line}`);
};

const goToLine = (line) => {
  document.querySelector(".source tr.target")?.classList.remove("target");
  view.line = line ?? 0;
  const row = line && rowOf(line);
  if (!row) return;
  row.classList.add("target");
  row.scrollIntoView({ block: "center" });
};

const goToStretch = (step) => {
  const { stretches } = view;
  const what = isChosen() ? "chosen" : "uncovered";
  if (stretches.length === 0) {
    announce(`Nothing ${what} here`);
    return;
  }
  const after = stretches.findIndex((line) => line > view.line);
  const before = stretches.findLastIndex((line) => line < view.line);
  // Past the last comes the first.
  const next = step > 0 ? (after === -1 ? 0 : after) : before === -1 ? stretches.length - 1 : before;
  announce(`Line ${stretches[next]}: ${what} stretch ${next + 1} of ${stretches.length}`);
  visit(address({ file: view.file, line: stretches[next], section: view.section }));
};

const goByLines = (step) => {
  const line = Math.min(view.lines.length, Math.max(1, view.line + step));
  // Of the way there only its end is worth going back to.
  history.replaceState(null, "", address({ file: view.file, line, section: view.section }));
  goToLine(line);
  announce(`Line ${line}: ${countWords(index.sections[view.section], view.lines[line - 1])}`);
};
