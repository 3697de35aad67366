// Shows what the address says, and listens to the keyboard.

const showUnreadable = (filePart, error) => {
  const words = "DecompressionStream" in window ? String(error) : "this browser is too old: it has no DecompressionStream";
  filePart.replaceChildren(element("p", { class: "notice" }, `The file cannot be unpacked: ${words}`));
};

const openFile = async (position) => {
  const { file, section, version } = view;
  Object.assign(view, { data: null, lines: [], stretches: [] });
  const data = await unpack(`file-${position}`);
  // Meanwhile something else may have been opened.
  if (view.file !== file || view.section !== section || view.version !== version) return;
  view.data = data;
  const filePart = document.getElementById("file");
  showFile(position, section);
  scrollTo(0, 0);
  filePart.querySelector("h1").focus({ preventScroll: true });
  goToLine(readAddress().line);
};

const show = () => {
  const { file, line, section, directory, version } = readAddress();
  const position = index.files.findIndex((head) => head.name === file);
  const [listPart, filePart] = [document.getElementById("overview"), document.getElementById("file")];
  for (const card of document.querySelectorAll(".card")) {
    const own = Number(card.dataset.section);
    card.href = address({ section: own });
    if (own === section) card.setAttribute("aria-current", "true");
    else card.removeAttribute("aria-current");
  }
  if (position === -1) {
    if (file !== undefined) announce("This report has no such file");
    const wasInFile = !filePart.hidden;
    [overview.section, overview.directory] = [section, directory];
    [listPart.hidden, filePart.hidden] = [false, true];
    [view.file, view.section] = [null, null];
    filePart.replaceChildren();
    renderOverview();
    if (wasInFile) scrollTo(0, view.overviewScroll);
    return;
  }
  if (view.file !== file || view.section !== section || view.version !== version) {
    if (view.file === null) view.overviewScroll = scrollY;
    [view.file, view.section, view.version, view.line] = [file, section, version, line ?? 0];
    [listPart.hidden, filePart.hidden] = [true, false];
    filePart.replaceChildren();
    openFile(position).catch((error) => showUnreadable(filePart, error));
  } else if (view.data) {
    goToLine(line);
  }
};

// At once, where a change of the hash alone would be told later.
const visit = (target) => {
  if (target !== location.hash) history.pushState(null, "", target);
  show();
};

const listAddress = () => address({ section: view.section, directory: overview.directory });

const goToFileBeside = (step) => {
  const file = fileBeside(view.file, view.section, step);
  if (file === undefined) announce(`No ${step > 0 ? "next" : "previous"} file with anything uncovered`);
  else visit(address({ file, section: view.section }));
};

const fileKeys = {
  n: () => goToStretch(1),
  p: () => goToStretch(-1),
  j: () => goByLines(1),
  k: () => goByLines(-1),
  i: () => view.line > 0 && showLineDetails(view.line),
  "[": () => goToFileBeside(-1),
  "]": () => goToFileBeside(1),
  u: () => visit(listAddress()),
};

const onKey = (event) => {
  const { target } = event;
  const isTyping = target instanceof HTMLInputElement && target.type === "search";
  if (event.key === "Escape" && isTyping && target.id === "filter") {
    target.value = "";
    target.dispatchEvent(new Event("input"));
    target.blur();
  }
  const isElsewhere = isTyping || target instanceof HTMLSelectElement || document.querySelector("dialog[open]");
  if (isElsewhere || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    event.preventDefault();
    if (view.file !== null) visit(listAddress());
    document.getElementById("filter").focus();
  } else if (event.key === "g") {
    event.preventDefault();
    showGoTo();
  } else if (event.key === "?") document.getElementById("keys").showModal();
  else if (view.file !== null) fileKeys[event.key]?.();
};

document.getElementById("skip").addEventListener("click", (event) => {
  // The address belongs to the report.
  event.preventDefault();
  document.getElementById("content").focus();
});
prepareTheme();
prepareDialogs();
if (index) {
  history.scrollRestoration = "manual";
  prepareOverview();
  addEventListener("hashchange", show);
  addEventListener("keydown", onKey);
  show();
}
