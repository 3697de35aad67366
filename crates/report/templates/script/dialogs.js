// The two dialogs: the keys, and going to a file or function by a part of its name.

const MOST_RESULTS = 60;

const goTo = { entries: null, chosen: 0 };

// Parsed when it is first needed.
const entries = () => {
  goTo.entries ??= data("functions").flatMap(([names, numbers], position) => {
    const file = index.files[position];
    const fileEntry = { text: file.name, lower: file.name.toLowerCase(), file, totals: file.totals.find((totals) => totals) };
    const functions = names.map((name, at) => ({
      text: name,
      lower: name.toLowerCase(),
      file,
      line: numbers[at * 3],
      totals: [numbers[at * 3 + 1], numbers[at * 3 + 2]],
    }));
    return [fileEntry, ...functions];
  });
  return goTo.entries;
};

// Better is lower: the whole name, its beginning, the beginning of a part, anywhere.
const rank = ({ lower, line }, words) => {
  const last = lower.slice(lower.lastIndexOf(line ? "." : "/") + 1);
  let worst = 0;
  for (const word of words) {
    if (!lower.includes(word)) return null;
    worst = Math.max(worst, last === word ? 0 : last.startsWith(word) ? 1 : last.includes(word) ? 2 : 3);
  }
  return worst;
};

const search = (query) => {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return { found: [], count: 0 };
  const found = [];
  for (const entry of entries()) {
    const value = rank(entry, words);
    if (value !== null) found.push({ entry, value });
  }
  found.sort((one, other) => one.value - other.value || one.entry.text.length - other.entry.text.length);
  return { found: found.slice(0, MOST_RESULTS).map(({ entry }) => entry), count: found.length };
};

const choose = (position) => {
  const options = [...document.querySelectorAll("#go-to-results [role=option]")];
  if (options.length === 0) return;
  goTo.chosen = (position + options.length) % options.length;
  options.forEach((option, at) => option.setAttribute("aria-selected", String(at === goTo.chosen)));
  const option = options[goTo.chosen];
  document.getElementById("go-to-input").setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
};

const open = (entry) => {
  document.getElementById("go-to").close();
  visit(address({ file: entry.file.name, line: entry.line, section: readAddress().section }));
};

const renderResults = () => {
  const wanted = document.getElementById("go-to-input").value.trim();
  const { found, count } = search(wanted);
  const options = found.map((entry, at) =>
    element(
      "li",
      { role: "option", id: `result-${at}`, onclick: () => open(entry) },
      element("span", { class: "result-name" }, visible(entry.text)),
      element("span", { class: "result-file soft" }, entry.line ? visible(`${entry.file.name}:${entry.line}`) : "file"),
      entry.totals && element("span", { class: "result-share" }, percentText(entry.totals)),
    ),
  );
  goTo.found = found;
  document.getElementById("go-to-results").replaceChildren(...options);
  document.getElementById("go-to-input").removeAttribute("aria-activedescendant");
  document.getElementById("go-to-count").textContent =
    count > found.length ? `The best ${found.length} of ${number(count)}` : found.length > 0 ? "" : wanted ? "No file and no function has this in its name" : "Part of a name, such as Server.Handle or cart.go";
  choose(0);
};

const showGoTo = () => {
  const input = document.getElementById("go-to-input");
  input.value = "";
  renderResults();
  document.getElementById("go-to").showModal();
  input.focus();
};

const prepareDialogs = () => {
  const input = document.getElementById("go-to-input");
  input.addEventListener("input", renderResults);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(goTo.chosen + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && goTo.found[goTo.chosen]) {
      event.preventDefault();
      open(goTo.found[goTo.chosen]);
    }
  });
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
    dialog.querySelector(".close")?.addEventListener("click", () => dialog.close());
  }
  document.getElementById("show-keys").addEventListener("click", () => document.getElementById("keys").showModal());
  document.getElementById("show-go-to")?.addEventListener("click", showGoTo);
};
