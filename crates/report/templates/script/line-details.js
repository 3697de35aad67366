// What is known of one line: how often each part, each kind of test and each test ran it.

// The tests of each line, as numbers; from blocks [start line and column, end line and column, set].
const testsByLine = ({ sets, blocks }, lineCount) => {
  const lines = Array.from({ length: lineCount }, () => null);
  for (let at = 0; at < blocks.length; at += 5) {
    const [startLine, , endLine, endColumn, set] = blocks.slice(at, at + 5);
    const last = endColumn <= 1 && endLine > startLine ? endLine - 1 : endLine;
    for (let line = startLine; line <= last && line <= lineCount; line += 1) {
      lines[line - 1] ??= new Set();
      for (const test of sets[set]) if (index.tests[test]) lines[line - 1].add(test);
    }
  }
  return lines;
};

const countWords = (part, line) => {
  if (!line || line.state === "") return "no statement";
  if (line.state === "miss") return "never ran";
  const ran = part.mode === "set" ? "ran" : `ran ${plural(line.count, "time", "times")}`;
  return line.state === "part" ? `${ran}, in part` : ran;
};

const partsOf = (heads, parts, line) =>
  heads.flatMap((head, at) =>
    parts[at] ? [element("li", {}, element("span", {}, visible(head.label)), element("strong", {}, countWords(head, parts[at].lines[line - 1])))] : [],
  );

const testItem = (test) => {
  const { name, members, seconds } = index.tests[test];
  return element(
    "li",
    {},
    element("span", {}, visible(name), members.length > 0 && element("span", { class: "soft" }, " ran at the same time and cannot be told apart")),
    element("span", { class: "soft" }, `${seconds.toFixed(1)} s`),
  );
};

const showLineDetails = (line) => {
  const state = view.lines[line - 1];
  if (!state) return;
  const tests = [...(view.tests?.[line - 1] ?? [])];
  const group = (title, items) =>
    items.length > 0 ? [element("h3", {}, title), element("ul", { class: "line-facts" }, items)] : [];
  const dialog = document.getElementById("line-details");
  document.getElementById("line-details-title").textContent = `Line ${number(line)}: ${countWords(index.sections[view.section], state)}`;
  document.getElementById("line-details-body").replaceChildren(
    element("pre", { class: "line-code" }, state.text.trim()),
    ...group("By kind of test", partsOf(index.kinds, view.kindParts, line)),
    ...group("By part", partsOf(index.sections.slice(1), view.sectionParts().slice(1), line)),
    ...group(plural(tests.length, "test", "tests"), tests.map(testItem)),
    ...(view.tests && tests.length === 0 ? [element("p", { class: "soft" }, "No test ran it.")] : []),
  );
  dialog.showModal();
};
