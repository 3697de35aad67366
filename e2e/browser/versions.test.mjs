// The page of two builds of changed sources, the newer ones being those that it shows:
// `node versions.test.mjs REPORT/index.html OLD.txt NEW.txt [--screenshots DIRECTORY]`. The text profiles are those that Go makes
// of each build.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { launch } from "./browser.mjs";
import { expectedMarks, pageMarks, readProfile, totalsOf } from "./marks.mjs";

const [, , given, old, current] = process.argv;
assert.ok(current, "usage: node versions.test.mjs REPORT/index.html OLD.txt NEW.txt");
const report = pathToFileURL(path.resolve(given)).href;
const profiles = Object.fromEntries([["old", old], ["new", current]].map(([label, file]) => [label, readProfile(readFileSync(file, "utf8"))]));
const screenshots = process.argv[process.argv.indexOf("--screenshots") + 1];
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const withPage = async (use) => {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 } });
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  try {
    await page.goto(report);
    const files = await page.evaluate(() => JSON.parse(document.getElementById("index").textContent).files.filter(({ versions }) => versions));
    assert.equal(files.length, 1, "one file was changed");
    await use(page, files[0].name);
    assert.deepEqual(errors, []);
  } finally {
    await context.close();
  }
};

const open = async (page, hash) => {
  await page.evaluate((to) => void (location.hash = to), hash);
  await page.locator("#version-picker").waitFor();
};
const choose = async (page, label) => {
  await page.locator("#version-picker").selectOption(label);
  await page.waitForFunction((version) => location.hash.includes(`version=${version}`) && document.getElementById("version-picker"), label);
};

test("the version of the sources comes first, and another one is a choice away", async () => {
  await withPage(async (page, file) => {
    assert.match(await page.locator("#files").textContent(), /2 versions/);
    await open(page, `#file=${file}`);
    assert.equal(await page.locator("#version-picker").inputValue(), "new");
    const lines = await page.evaluate(pageMarks);
    const marked = lines.findIndex(({ text }) => text.includes("if c == 0 {"));
    assert.equal(lines[marked].state, "hit");
    await choose(page, "old");
    assert.equal(await page.locator("#version-picker").inputValue(), "old");
    await page.goBack();
    await page.waitForFunction(() => document.getElementById("version-picker")?.value === "new");
    if (process.argv.includes("--screenshots")) {
      mkdirSync(screenshots, { recursive: true });
      await page.screenshot({ path: path.join(screenshots, "versions.png") });
    }
  });
});

test("a part that is a build has the marks and the figures that Go gives it", async () => {
  await withPage(async (page, file) => {
    for (const [label, profile] of Object.entries(profiles)) {
      await open(page, `#file=${file}&section=${label}`);
      await page.locator("#version-picker", { hasText: label }).waitFor();
      const { statements, covered } = totalsOf(profile.get(file));
      const words = await page.locator(".file-figures").textContent();
      assert.ok(words.includes(`${statements - covered} of ${statements} statements`), `${label}: ${words}`);
      const lines = await page.evaluate(pageMarks);
      const expected = expectedMarks(lines.map(({ text }) => text), profile.get(file));
      lines.forEach(({ text, marks }, at) => assert.equal(marks, expected[at].marks, `${label}:${at + 1}: ${text}`));
    }
  });
});

test("the choice is accessible", async () => {
  await withPage(async (page, file) => {
    await open(page, `#file=${file}`);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run());
    assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`), []);
  });
});
