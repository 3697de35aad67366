// Follows a run: asks whether there is newer data, says how old this is, and loads the page again where it was.

const PLACE = "podcov-live-place";
const live = {
  version: Number(document.getElementById("live").dataset.version),
  text: document.getElementById("live-text"),
};

const ageWords = (seconds) => {
  if (seconds < 2) return "just now";
  if (seconds < 120) return `${Math.round(seconds)} seconds ago`;
  return `${Math.round(seconds / 60)} minutes ago`;
};

/** There may be no data that has an age. */
const withAge = (text, beforeAge, age) => (age === null ? text : `${text}. ${beforeAge} ${ageWords(age)}`);

const sayState = (kind, text) => {
  document.getElementById("live").dataset.state = kind;
  if (live.text.textContent !== text) live.text.textContent = text;
};

const loadAgain = () => {
  const filter = document.getElementById("filter")?.value ?? "";
  try {
    sessionStorage.setItem(PLACE, JSON.stringify({ scroll: scrollY, filter }));
  } catch {
    // Then the page begins at its top.
  }
  location.reload();
};

const returnToPlace = () => {
  try {
    const place = JSON.parse(sessionStorage.getItem(PLACE) ?? "null");
    sessionStorage.removeItem(PLACE);
    if (!place) return;
    const filter = document.getElementById("filter");
    if (filter && place.filter) {
      filter.value = place.filter;
      filter.dispatchEvent(new Event("input"));
    }
    scrollTo(0, place.scroll);
  } catch {
    // Nothing was kept.
  }
};

const ask = async () => {
  try {
    const answer = await fetch("state", { cache: "no-store" });
    const { version, age, is_running: isRunning, problem } = await answer.json();
    const isBusy = document.querySelector("dialog[open]") !== null;
    if (version !== live.version && !isBusy) return loadAgain();
    if (problem) sayState("problem", withAge(problem, "Shown is what was there", age));
    else if (isRunning) sayState("running", withAge("The run goes on", "Newest data:", age));
    else sayState("ended", withAge("The run has ended", "Newest data:", age));
  } catch {
    sayState("gone", "podcov no longer answers: this page follows nothing any more");
  }
  setTimeout(ask, 1000);
};

returnToPlace();
ask();
