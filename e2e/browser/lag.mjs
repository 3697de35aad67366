// How long the page takes for what a reader does: `node lag.mjs REPORT/index.html...`, medians of several fresh pages in
// milliseconds, a column for each report. Only relations between the columns mean something on other machines.

import path from "node:path";
import { pathToFileURL } from "node:url";
import { launch } from "./browser.mjs";

const ROUNDS = 7;
const reports = process.argv.slice(2);

// The browser's own clock; until what was changed has been drawn.
const timed = (page, act, argument) =>
  page.evaluate(
    async ([source, given]) => {
      const start = performance.now();
      await eval(source)(given);
      await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      return performance.now() - start;
    },
    [act.toString(), argument],
  );

const typed = (text) => {
  const filter = document.getElementById("filter");
  filter.value = text;
  filter.dispatchEvent(new Event("input", { bubbles: true }));
};
const opened = async (file) => {
  location.hash = `#file=${encodeURIComponent(file)}`;
  while (!document.querySelector(".source")) await new Promise((later) => setTimeout(later));
};
const pressed = (key) => void document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const sorted = () => document.querySelector("#files th[data-key=percent] button").click();

const steps = {
  "sort by share": (page) => timed(page, sorted),
  "filter by two letters": (page) => timed(page, typed, "er"),
  "clear the filter": (page) => timed(page, typed, ""),
  "open the largest file": async (page) => {
    const largest = await page.evaluate(() => {
      const { files } = JSON.parse(document.getElementById("index").textContent);
      return files.reduce((one, other) => ((other.totals[0]?.[0] ?? 0) > (one.totals[0]?.[0] ?? 0) ? other : one)).name;
    });
    return timed(page, opened, largest);
  },
  "next uncovered": (page) => timed(page, pressed, "n"),
};

const measure = async (browser, report) => {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 } });
  const page = await context.newPage();
  await page.goto(pathToFileURL(path.resolve(report)).href);
  await page.locator("#files tbody tr").first().waitFor();
  const figures = { "load the page": await page.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd) };
  for (const [name, step] of Object.entries(steps)) figures[name] = await step(page);
  await context.close();
  return figures;
};

const browser = await launch();
const rounds = reports.map(() => []);
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [position, report] of reports.entries()) rounds[position].push(await measure(browser, report));
}
await browser.close();

const median = (values) => values.sort((one, other) => one - other)[values.length >> 1];
console.log(`| ms | ${reports.map((report) => path.basename(path.dirname(path.resolve(report)))).join(" | ")} |`);
console.log(`|---|${reports.map(() => "---|").join("")}`);
for (const name of Object.keys(rounds[0][0])) {
  console.log(`| ${name} | ${rounds.map((round) => median(round.map((figures) => figures[name])).toFixed(0)).join(" | ")} |`);
}
