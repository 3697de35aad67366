// From units and a text to lines: which parts ran, how often, and what to show beside them. Builds no elements.

// Units as objects. Those without a statement that never ran are left out: nothing in them could be covered.
const unitsOf = (shape, counts) => {
  const units = [];
  for (let position = 0; position < counts.length; position += 1) {
    const [startLine, startColumn, endLine, endColumn, statements] = shape.units.slice(position * 5, position * 5 + 5);
    const count = counts[position];
    if (statements > 0 || count > 0) units.push({ startLine, startColumn, endLine, endColumn, statements, count });
  }
  // What lies inside of another comes later and wins; of two in one place the one that ran.
  return units.sort(
    (one, other) =>
      one.startLine - other.startLine ||
      one.startColumn - other.startColumn ||
      other.endLine - one.endLine ||
      other.endColumn - one.endColumn ||
      one.count - other.count,
  );
};

// Go counts columns in bytes, the browser in UTF-16 units.
const columnIn = (line) => {
  // biome-ignore lint: ASCII is what is meant
  if (/^[\x00-\x7f]*$/.test(line)) return (column) => Math.min(column - 1, line.length);
  const offsets = [0];
  let position = 0;
  for (const character of line) {
    const code = character.codePointAt(0);
    const bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    position += character.length;
    for (let byte = 0; byte < bytes; byte += 1) offsets.push(position);
  }
  return (column) => offsets[Math.min(column - 1, offsets.length - 1)];
};

// One entry a line: the text, its pieces [start, end, unit], whether it is hit, miss or part, and the highest count.
const linesOf = (text, units) => {
  const lines = text.split("\n").map((line) => ({ text: line.replace(/\r$/, ""), pieces: [], state: "", count: 0 }));
  if (lines.length > 1 && lines[lines.length - 1].text === "") lines.pop();
  const owners = lines.map(() => null);
  for (const unit of units) {
    for (let at = unit.startLine; at <= unit.endLine && at <= lines.length; at += 1) {
      const { text: line } = lines[at - 1];
      const column = columnIn(line);
      const indent = line.length - line.trimStart().length;
      const start = at === unit.startLine ? column(unit.startColumn) : indent;
      const end = at === unit.endLine ? column(unit.endColumn) : line.trimEnd().length;
      owners[at - 1] ??= new Array(line.length).fill(null);
      owners[at - 1].fill(unit, Math.max(start, indent), Math.max(end, 0));
    }
  }
  lines.forEach((line, at) => {
    const owner = owners[at];
    if (!owner) return;
    for (let start = 0; start < owner.length; ) {
      let end = start + 1;
      while (end < owner.length && owner[end] === owner[start]) end += 1;
      if (owner[start]) line.pieces.push([start, end, owner[start]]);
      start = end;
    }
    // A brace belongs to its statement and says nothing by itself.
    const telling = line.pieces.filter(([start, end]) => /[^\s{}()]/.test(line.text.slice(start, end)));
    const ran = telling.filter(([, , unit]) => unit.count > 0);
    if (telling.length === 0) return;
    line.state = ran.length === 0 ? "miss" : ran.length === telling.length ? "hit" : "part";
    line.count = Math.max(...telling.map(([, , unit]) => unit.count));
  });
  return lines;
};

// The first lines of the stretches of lines that are wanted. Lines without code do not end a stretch.
const stretchesOf = (lines, isWanted) => {
  const stretches = [];
  let inside = false;
  lines.forEach((line, at) => {
    if (isWanted(line, at)) {
      if (!inside) stretches.push(at + 1);
      inside = true;
    } else if (line.state !== "") {
      inside = false;
    }
  });
  return stretches;
};
