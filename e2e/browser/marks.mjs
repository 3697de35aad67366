// What coverage.txt says of each byte of a line, and what the page shows of it: `+` ran, `-` never ran, ` ` neither.
// Computed from the text profile alone, by other means than the page's.

export const readProfile = (text) => {
  const files = new Map();
  for (const line of text.split("\n").slice(1)) {
    const parts = line.match(/^(.*):(\d+)\.(\d+),(\d+)\.(\d+) (\d+) (\d+)$/);
    if (!parts) continue;
    const [startLine, startColumn, endLine, endColumn, statements, count] = parts.slice(2).map(Number);
    if (!files.has(parts[1])) files.set(parts[1], []);
    files.get(parts[1]).push({ file: parts[1], startLine, startColumn, endLine, endColumn, statements, count });
  }
  return files;
};

// A block that stands in the profile more than once counts once, and ran if one of them did.
export const totalsOf = (units) => {
  const blocks = new Map();
  for (const { file, startLine, startColumn, endLine, endColumn, statements, count } of units) {
    const key = [file, startLine, startColumn, endLine, endColumn].join();
    const known = blocks.get(key) ?? { statements: 0, count: 0 };
    blocks.set(key, { statements: Math.max(statements, known.statements), count: Math.max(count, known.count) });
  }
  const list = [...blocks.values()];
  const sum = (numbers) => numbers.reduce((one, other) => one + other, 0);
  return {
    statements: sum(list.map(({ statements }) => statements)),
    covered: sum(list.filter(({ count }) => count > 0).map(({ statements }) => statements)),
  };
};

const isSpace = (byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d;

export const expectedMarks = (lines, units) => {
  const bytes = lines.map((line) => Buffer.from(line));
  // The innermost unit is the one that begins last.
  const holds = (unit, line, column) =>
    (unit.startLine < line || (unit.startLine === line && unit.startColumn <= column)) &&
    (line < unit.endLine || (line === unit.endLine && column < unit.endColumn));
  const later = (one, other) =>
    one.startLine - other.startLine || one.startColumn - other.startColumn || one.count - other.count;
  return bytes.map((line, at) => {
    const here = units.filter(({ startLine, endLine }) => startLine <= at + 1 && at + 1 <= endLine);
    let marks = "";
    line.forEach((byte, column) => {
      const owners = here.filter((unit) => holds(unit, at + 1, column + 1)).sort(later);
      const owner = owners.filter(({ statements, count }) => statements > 0 || count > 0).at(-1);
      if (isSpace(byte) || !owner) marks += " ";
      else marks += owner.count > 0 ? "+" : "-";
    });
    return { marks };
  });
};

// Runs in the page.
export const pageMarks = () => {
  const encoder = new TextEncoder();
  return [...document.querySelectorAll(".source tbody tr")].map((row) => {
    const code = row.querySelector(".code");
    let marks = "";
    for (const node of code.childNodes) {
      const mark = node.classList?.contains("hit") ? "+" : node.classList?.contains("miss") ? "-" : " ";
      for (const byte of encoder.encode(node.textContent)) marks += byte === 0x20 || byte === 0x09 ? " " : mark;
    }
    const sign = row.querySelector(".sign").textContent;
    const state = ["hit", "miss", "part"].find((name) => row.classList.contains(name)) ?? "";
    return { text: code.textContent, marks, sign, state };
  });
};
