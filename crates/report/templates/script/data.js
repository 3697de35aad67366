// The data blocks of the page, and what is computed from them. Builds no elements, apart from `element`.

const data = (id) => {
  const block = document.getElementById(id);
  return block ? JSON.parse(block.textContent) : null;
};

const index = data("index");

// The data of a file is compressed, and unpacked when the file is opened: a line of JSON, and after it the source.
const unpack = async (id) => {
  const packed = Uint8Array.from(atob(document.getElementById(id).textContent), (byte) => byte.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const text = await new Response(stream).text();
  const end = text.indexOf("\n");
  if (end === -1) return { ...JSON.parse(text), source: null };
  return { ...JSON.parse(text.slice(0, end)), source: text.slice(end + 1) };
};

// Only ever text: nothing in the data is read as markup.
const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key === "onclick") made.addEventListener("click", value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => (child ?? false) !== false));
  return made;
};

const grouped = new Intl.NumberFormat("en-US");
const number = (value) => grouped.format(value);
const plural = (value, one, many) => `${number(value)} ${value === 1 ? one : many}`;

// 100.0 means all, and 0.0 means none; the same rule as in the terminal.
const percent = ([statements, covered]) => {
  if (statements === 0) return "–";
  if (covered === 0) return "0.0";
  if (covered >= statements) return "100.0";
  const nearest = Math.floor((covered * 2000 + statements) / (statements * 2));
  return (Math.min(999, Math.max(1, nearest)) / 10).toFixed(1);
};
const percentText = (totals) => (totals[0] === 0 ? "–" : `${percent(totals)} %`);

// Characters that would move or hide other text are named instead of shown.
const hidden = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const codePoint = (character) => `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
const visible = (text) => text.replace(hidden, (character) => `‹${codePoint(character)}›`);

const sum = (list) => list.reduce(([s, c], [statements, covered]) => [s + statements, c + covered], [0, 0]);

const bar = (totals) => {
  const filled = element("span", { class: "filled" });
  filled.style.width = totals[0] === 0 ? "0" : `${percent(totals)}%`;
  return element("span", { class: totals[0] === 0 ? "bar empty" : "bar", "aria-hidden": "true" }, filled);
};

// `#file=…&line=…&section=…&version=…` or `#dir=…`, with slashes left as they are.
const encode = (text) => encodeURIComponent(text).replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%40", "@");
const address = ({ file, line, section, directory, version = view.version }) => {
  const parts = [];
  if (file !== undefined) parts.push(`file=${encode(file)}`);
  if (line !== undefined) parts.push(`line=${line}`);
  if (directory) parts.push(`dir=${encode(directory)}`);
  if (section) parts.push(`section=${encode(index.sections[section].label)}`);
  if (file !== undefined && version) parts.push(`version=${encode(version)}`);
  return `#${parts.join("&")}`;
};
const readAddress = () => {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const label = parameters.get("section");
  const section = label === null ? 0 : index.sections.findIndex((candidate) => candidate.label === label);
  const line = Number.parseInt(parameters.get("line") ?? "", 10);
  return {
    file: parameters.get("file") ?? undefined,
    line: line > 0 ? line : undefined,
    section: Math.max(0, section),
    directory: parameters.get("dir") ?? "",
    version: parameters.get("version"),
  };
};

// The part of all package paths that is the same, up to a slash.
const commonPrefix = (paths) => {
  if (paths.length < 2) return "";
  const [first, last] = [paths[0], paths[paths.length - 1]];
  let length = 0;
  while (length < first.length && first[length] === last[length]) length += 1;
  return first.slice(0, first.lastIndexOf("/", length - 1) + 1);
};

const announce = (text) => {
  document.getElementById("announce").textContent = text;
};
