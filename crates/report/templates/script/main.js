// Shows what the address says, and listens to the keyboard.

const show = () => {
  const { file, line, section } = readAddress();
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
    overview.section = section;
    [listPart.hidden, filePart.hidden] = [false, true];
    [view.file, view.section] = [null, null];
    filePart.replaceChildren();
    renderOverview();
    if (wasInFile) scrollTo(0, view.overviewScroll);
    return;
  }
  if (view.file !== file || view.section !== section) {
    if (view.file === null) view.overviewScroll = scrollY;
    [view.file, view.section] = [file, section];
    [listPart.hidden, filePart.hidden] = [true, false];
    showFile(position, section);
    scrollTo(0, 0);
    filePart.querySelector("h1").focus({ preventScroll: true });
  }
  goToLine(line);
};

// At once, where a change of the hash alone would be told later.
const visit = (target) => {
  if (target !== location.hash) history.pushState(null, "", target);
  show();
};

const onKey = (event) => {
  const isTyping = event.target instanceof HTMLInputElement && event.target.type === "search";
  if (event.key === "Escape" && isTyping) {
    event.target.value = "";
    event.target.dispatchEvent(new Event("input"));
    event.target.blur();
  }
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const isFile = view.file !== null;
  if (event.key === "/") {
    event.preventDefault();
    if (isFile) visit(address({ section: view.section }));
    document.getElementById("filter").focus();
  } else if (event.key === "n" && isFile) goToUncovered(1);
  else if (event.key === "p" && isFile) goToUncovered(-1);
  else if (event.key === "u" && isFile) visit(address({ section: view.section }));
};

document.getElementById("skip").addEventListener("click", (event) => {
  // The address belongs to the report.
  event.preventDefault();
  document.getElementById("content").focus();
});
if (index) {
  history.scrollRestoration = "manual";
  prepareOverview();
  addEventListener("hashchange", show);
  addEventListener("keydown", onKey);
  show();
}
