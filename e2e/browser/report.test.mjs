// The report in a real browser: `node report.test.mjs REPORT/index.html [--screenshots DIRECTORY]`, or with
// `node --test` and PODCOV_REPORT, PODCOV_SCREENSHOTS. The coverage.txt beside the page is what its marks are held
// against; a report without one has no data, and must say so.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { launch } from "./browser.mjs";
import { expectedMarks, pageMarks, readProfile, totalsOf } from "./marks.mjs";

const argument = (name) => {
  const at = process.argv.indexOf(name);
  return at === -1 ? undefined : process.argv[at + 1];
};
const given = process.argv[2]?.endsWith(".html") ? process.argv[2] : process.env.PODCOV_REPORT;
assert.ok(given, "usage: node report.test.mjs REPORT/index.html [--screenshots DIRECTORY]");
const screenshots = argument("--screenshots") ?? process.env.PODCOV_SCREENSHOTS;
const report = pathToFileURL(path.resolve(given)).href;
const textProfile = path.join(path.dirname(given), "coverage.txt");
const profile = existsSync(textProfile) ? readProfile(readFileSync(textProfile, "utf8")) : new Map();
const hasData = profile.size > 0;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const MOST_FILES = 60;
const desktop = { width: 1360, height: 900 };
const phone = { width: 375, height: 740 };

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

// A page that must stay silent: no message, no error, no request but the one for itself.
const withPage = async (settings, use) => {
  const context = await browser.newContext({ viewport: desktop, ...settings });
  const page = await context.newPage();
  const heard = [];
  page.on("console", (message) => heard.push(`console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => heard.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => heard.push(`dialog: ${dialog.message()}`));
  page.on("request", (request) => {
    const address = request.url().split("#")[0];
    if (address !== report && !address.startsWith("data:")) heard.push(`request: ${address}`);
  });
  try {
    await page.goto(report);
    await use(page);
    assert.deepEqual(heard, []);
  } finally {
    await context.close();
  }
};

const screenshot = async (page, name) => {
  if (!screenshots) return;
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: path.join(screenshots, `${name}.png`) });
};

const open = (page, hash) => page.evaluate((to) => void (location.hash = to), hash);
// Characters that turn text around are named.
const shown = (name) => name.replaceAll("\u202e", "‹U+202E›");
const openFile = async (page, file, line) => {
  await open(page, `#file=${encodeURIComponent(file)}${line ? `&line=${line}` : ""}`);
  await page.locator("#file h1").filter({ hasText: shown(file) }).waitFor();
};
const fileNames = (page) =>
  page.evaluate(() => JSON.parse(document.getElementById("index").textContent).files.map(({ name }) => name));
const rows = (page) => page.locator("#files tbody tr");
const hasSource = (page) => page.locator(".source").count();
const targetLine = (page) => page.evaluate(() => document.querySelector("tr.target")?.id ?? null);

// The data fits the source, as far as the profile tells.
const isSound = (file) => profile.get(file).every(({ startLine }) => startLine < 50_000);
// The file with most stretches of both sorts: it shows everything there is to see.
const telling = () => {
  const score = (units) =>
    Math.min(units.filter(({ count }) => count > 0).length, units.filter(({ count, statements }) => count === 0 && statements > 0).length);
  return [...profile].filter(([file]) => isSound(file)).sort(([, one], [, other]) => score(other) - score(one))[0][0];
};

const testWithData = (name, run) => test(name, { skip: !hasData && "this report has no data" }, run);

test("a report without data says so, and why", { skip: hasData && "this report has data" }, async () => {
  await withPage({}, async (page) => {
    assert.equal((await page.locator("#total").textContent()).trim(), "No coverage data");
    assert.ok((await page.locator(".notice li").count()) > 0);
    assert.doesNotMatch(await page.locator("main").textContent(), /\d %.*covered/);
  });
});

testWithData("the total is that of coverage.txt, rounded so that it never claims too much", async () => {
  await withPage({}, async (page) => {
    const { statements, covered } = totalsOf([...profile.values()].flat());
    const shown = Number(await page.locator("#total .figure").textContent());
    assert.ok(Math.abs(shown - (100 * covered) / statements) <= 0.1, `${shown} for ${covered} of ${statements}`);
    assert.equal(shown === 100, covered === statements);
    const words = await page.locator(".hero p").first().textContent();
    assert.ok(words.includes(`${covered.toLocaleString("en-US")} of ${statements.toLocaleString("en-US")}`), words);
    await screenshot(page, "overview-light");
  });
});

testWithData("every file's marks are where coverage.txt says, to the column", async () => {
  await withPage({}, async (page) => {
    let compared = 0;
    for (const file of [...profile.keys()].slice(0, MOST_FILES)) {
      await openFile(page, file);
      if (!(await hasSource(page))) continue;
      const lines = await page.evaluate(pageMarks);
      const expected = expectedMarks(lines.map(({ text }) => text), profile.get(file));
      lines.forEach(({ text, marks, sign, state }, at) => {
        assert.equal(marks, expected[at].marks, `${file}:${at + 1}: ${text}`);
        // Whoever sees no colour sees the sign.
        const telling = [...Buffer.from(text)].some((byte, column) => marks[column] === "-" && !"{}()".includes(String.fromCharCode(byte)));
        if (telling) assert.ok(["✗", "◐"].includes(sign), `${file}:${at + 1} has sign ${sign}`);
        if (state === "hit") assert.equal(sign, "");
      });
      compared += 1;
    }
    assert.ok(compared > 0, "no source was shown");
  });
});

testWithData("the filter leaves what fits, Escape clears it, and slash leads to it", async () => {
  await withPage({}, async (page) => {
    const names = await fileNames(page);
    const word = path.basename(telling());
    await page.keyboard.press("/");
    await page.keyboard.type(word);
    const shown = await page.locator("#files tr.file a").allTextContents();
    assert.equal(shown.length, names.filter((name) => name.includes(word)).length);
    await page.keyboard.type(" nothing-has-this-name");
    assert.equal(await rows(page).count(), 0);
    assert.match(await page.locator("#shown").textContent(), /No file fits/);
    await page.keyboard.press("Escape");
    assert.ok((await rows(page).count()) > 0);
  });
});

testWithData("the list sorts by each column and folds by package", async () => {
  await withPage({}, async (page) => {
    await page.locator("#group").uncheck();
    const column = (name) => page.locator(`#files tbody .${name}`).allTextContents();
    const numbers = async (name) => (await column(name)).map((text) => Number.parseFloat(text.replaceAll(",", "")));
    const sorted = (list) => [...list].sort((one, other) => one - other);
    await page.getByRole("button", { name: "Uncovered", exact: true }).click();
    const uncovered = await numbers("uncovered");
    assert.deepEqual(uncovered, sorted(uncovered).reverse());
    await page.getByRole("button", { name: "Covered", exact: true }).click();
    const share = await numbers("share");
    assert.deepEqual(share, sorted(share));
    await page.getByRole("button", { name: "Covered", exact: true }).click();
    assert.equal(await page.locator('th[data-key="percent"]').getAttribute("aria-sort"), "descending");
    assert.deepEqual(await numbers("share"), sorted(share).reverse());
    await page.getByRole("button", { name: "Name", exact: true }).click();
    assert.deepEqual(await page.locator("#files tr.file a").allTextContents(), (await fileNames(page)).sort().map(shown));

    await page.locator("#group").check();
    await page.locator("#open-all").uncheck();
    assert.equal(await page.locator("#files tr.file").count(), 0);
    const folded = await rows(page).count();
    const first = page.locator("#files tr.package button").first();
    await first.focus();
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("#files tr.package button").first().getAttribute("aria-expanded"), "true");
    assert.ok((await rows(page).count()) > folded);
  });
});

testWithData("a file opens by its link, and n and p go from one uncovered stretch to the next", async () => {
  await withPage({}, async (page) => {
    const file = telling();
    await page.locator("#filter").fill(file);
    await page.locator("#files tr.file a").first().click();
    await page.locator(".source").waitFor();
    const stops = [];
    for (;;) {
      await page.keyboard.press("n");
      const stop = await targetLine(page);
      if (stops.includes(stop)) break;
      stops.push(stop);
      assert.match(await page.locator("tr.target").getAttribute("class"), /miss|part/);
      assert.ok(await page.locator("tr.target").evaluate((row) => {
        const { top, bottom } = row.getBoundingClientRect();
        return top >= 0 && bottom <= innerHeight;
      }), `${stop} is not in view`);
    }
    assert.ok(stops.length > 1 && stops[0] === (await targetLine(page)), `${stops}`);
    await page.keyboard.press("p");
    assert.equal(await targetLine(page), stops.at(-1));
    assert.match(await page.locator("#announce").textContent(), /uncovered stretch/);
    await screenshot(page, "file-light");
    await page.keyboard.press("u");
    assert.ok(await page.locator("#overview").isVisible());
    await page.goBack();
    // The file is unpacked anew.
    await page.locator("tr.target").waitFor();
    assert.equal(await targetLine(page), stops.at(-1));
  });
});

testWithData("an address leads to a file, a line and a part", async () => {
  const file = telling();
  await withPage({}, async (page) => {
    await page.goto("about:blank");
    await page.goto(`${report}#file=${file}&line=7`);
    await page.locator(".source").waitFor();
    assert.equal(await targetLine(page), "L7");
    await page.locator("#L9 .line-number a").click();
    assert.equal(await targetLine(page), "L9");
    assert.ok(page.url().endsWith(`#file=${file}&line=9`), page.url());
    await page.goto(`${report}#file=no/such/file.go`);
    assert.match(await page.locator("#announce").textContent(), /no such file/);

    const cards = page.locator(".card");
    if ((await cards.count()) < 2) return;
    const before = await page.locator("#shown").textContent();
    await cards.nth(1).click();
    assert.equal(await cards.nth(1).getAttribute("aria-current"), "true");
    assert.match(page.url(), /#section=/);
    const share = (await cards.nth(1).locator(".card-figure").textContent()).trim();
    const now = await page.locator("#shown").textContent();
    assert.ok(now !== before && now.includes(share), `${now} for ${share}`);
    await page.locator("#open-all").check();
    await page.locator("#files tr.file a").first().click();
    assert.match(page.url(), /#file=.*&section=/);
  });
});

testWithData("names and messages made of markup are only text", async (context) => {
  await withPage({}, async (page) => {
    const hostile = (await fileNames(page)).find((name) => name.includes("<"));
    if (!hostile) return context.skip("this report has no such name");
    assert.equal(await page.locator("img").count(), 0);
    assert.ok((await page.locator(".notice").allTextContents()).some((text) => text.includes("<img src=x")));
    await openFile(page, hostile);
    assert.equal(await page.locator("#file h1").textContent(), shown(hostile));
    assert.match(await page.locator("#file .notice").textContent(), /source is not shown/);
    assert.match(await page.locator(".unit-list").first().textContent(), /never ran/);
    assert.equal(await page.locator("img").count(), 0);
    await screenshot(page, "missing-source");
  });
});

testWithData("a part of a name leads to a file or a function", async () => {
  const file = telling();
  await withPage({}, async (page) => {
    await page.keyboard.press("g");
    await page.keyboard.type(path.basename(file));
    await page.locator("#go-to-results [aria-selected=true]").filter({ hasText: path.basename(file) }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator("#file h1").filter({ hasText: path.basename(file) }).waitFor();
    const name = await page.locator(".functions a").last().textContent();
    await page.keyboard.press("g");
    await page.keyboard.type(`${name}`);
    const results = page.locator("#go-to-results li");
    await results.filter({ hasText: name }).first().waitFor();
    for (let presses = 0; presses < (await results.count()); presses += 1) {
      const chosen = await page.locator("#go-to-results [aria-selected=true]").textContent();
      if (chosen.startsWith(name) && chosen.includes(`${file}:`)) break;
      await page.keyboard.press("ArrowDown");
    }
    const chosen = await page.locator("#go-to-results [aria-selected=true] .result-file").textContent();
    await page.keyboard.press("Enter");
    assert.ok(chosen.startsWith(`${file}:`), chosen);
    await page.keyboard.press("g");
    await page.keyboard.type("nothing is called so");
    await page.locator("#go-to-count", { hasText: "No file and no function" }).waitFor();
    await page.keyboard.press("Escape");
    assert.equal(await targetLine(page), `L${chosen.split(":").at(-1)}`);
  });
});

testWithData("brackets lead to the files beside that have something uncovered, and to no other", async () => {
  await withPage({}, async (page) => {
    const isOpen = (file) => {
      const { statements, covered } = totalsOf(profile.get(file));
      return covered < statements;
    };
    const files = (await fileNames(page)).filter(isOpen);
    assert.ok(files.length > 1, "this report has too few files");
    const opened = () => page.evaluate(() => new URLSearchParams(location.hash.slice(1)).get("file"));
    await openFile(page, files[0]);
    for (const file of files.slice(1, 6)) {
      await page.keyboard.press("]");
      assert.equal(await opened(), file);
    }
    await page.keyboard.press("[");
    assert.equal(await opened(), files[Math.min(5, files.length - 1) - 1]);
    await openFile(page, files.at(-1));
    assert.equal(await page.locator("#file nav a").filter({ hasText: "next file" }).count(), 0);
    await page.keyboard.press("]");
    assert.equal(await opened(), files.at(-1));
    assert.match(await page.locator("#announce").textContent(), /^No next file/);
  });
});

testWithData("the head of a file says how many lines have each sign", async () => {
  await withPage({}, async (page) => {
    await openFile(page, telling());
    for (const [state, words] of [["miss", "never ran"], ["part", "ran in part"]]) {
      const count = await page.locator(`.source tr.${state}`).count();
      const told = page.locator(`.file-figures .${state}`);
      if (count === 0) assert.equal(await told.count(), 0);
      else assert.match(await told.textContent(), new RegExp(`\\s${count.toLocaleString("en-US")} lines? ${words}$`));
    }
  });
});

testWithData("paper is light, has no buttons, and cuts no line", async () => {
  await withPage({ colorScheme: "light" }, async (page) => {
    const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.locator("#theme").selectOption("dark");
    await openFile(page, telling());
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), paper);
    for (const part of ["#theme", ".moves", "#file nav", ".functions"]) assert.ok(await page.locator(part).isHidden(), part);
    const source = await page.locator(".source").evaluate(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth]);
    assert.ok(source[0] <= source[1], `${source}`);
    await open(page, "");
    await page.locator("#overview").waitFor();
    assert.ok(await page.locator(".controls").isHidden());
  });
});

testWithData("the keys are told, and lead from line to line and to what ran one", async () => {
  await withPage({}, async (page) => {
    await page.keyboard.press("?");
    assert.ok(await page.locator("#keys").isVisible());
    assert.deepEqual(await serious(page), []);
    await page.keyboard.press("Escape");
    assert.ok(!(await page.locator("#keys").isVisible()));
    await openFile(page, telling());
    await page.keyboard.press("n");
    const line = Number((await targetLine(page)).slice(1));
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    assert.equal(await targetLine(page), `L${line + 1}`);
    assert.ok(page.url().endsWith(`line=${line + 1}`), page.url());
    await page.keyboard.press("i");
    assert.match(await page.locator("#line-details-title").textContent(), new RegExp(`^Line ${line + 1}: `));
    assert.deepEqual(await serious(page), []);
  });
});

testWithData("the map has every statement, and leads to files and directories by keys alone", async () => {
  await withPage({}, async (page) => {
    const tiles = page.locator("#treemap a");
    const words = await tiles.evaluateAll((list) => list.map((tile) => tile.title));
    const statements = words.map((text) => Number(text.match(/of ([\d,]+) statement/)[1].replaceAll(",", "")));
    assert.deepEqual(statements, [...statements].sort((one, other) => other - one));
    if ((await page.locator("#treemap .rest").count()) === 0) {
      const total = totalsOf([...profile.values()].flat()).statements;
      assert.equal(statements.reduce((one, other) => one + other, 0), total);
    }
    await tiles.first().focus();
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.evaluate(() => document.activeElement.title), words[Math.min(1, words.length - 1)]);
    await page.keyboard.press("Enter");
    assert.match(page.url(), /#(file|dir)=/);
  });
});

testWithData("a directory shows what is below it, and the way back", async (context) => {
  await withPage({}, async (page) => {
    const names = await fileNames(page);
    const packages = [...new Set(names.map((name) => path.dirname(name)))].filter((name) => !name.includes("<"));
    if (packages.length < 2) return context.skip("this report has one directory");
    const directory = packages.at(-1);
    await open(page, `#dir=${directory}`);
    await page.locator("#trail").waitFor();
    await page.locator("#group").uncheck();
    const shown = await page.locator("#files tr.file a").evaluateAll((list) => list.map((link) => link.title));
    assert.deepEqual(shown, names.filter((name) => name.startsWith(`${directory}/`)));
    await page.locator("#trail a").first().click();
    assert.ok(await page.locator("#trail").isHidden());
  });
});

testWithData("whoever chooses light or dark keeps it", async () => {
  await withPage({ colorScheme: "light" }, async (page) => {
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await paper();
    await page.locator("#theme").selectOption("dark");
    assert.notEqual(await paper(), light);
    await page.reload();
    assert.notEqual(await paper(), light);
    await page.locator("#theme").selectOption("system");
    assert.equal(await paper(), light);
  });
});

// What each kind of test ran, by kind-LABEL.txt beside the page.
const kinds = readdirSync(path.dirname(given))
  .flatMap((name) => name.match(/^kind-(.*)\.txt$/)?.[1] ?? [])
  .map((label) => ({ label, profile: readProfile(readFileSync(path.join(path.dirname(given), `kind-${label}.txt`), "utf8")) }));

test("each statement is of one kind of test, of the other, of both or of neither", { skip: kinds.length !== 2 && "this report has no kinds" }, async () => {
  const blocks = new Map();
  kinds.forEach(({ profile: own }, kind) => {
    for (const unit of [...own.values()].flat()) {
      const key = [unit.file, unit.startLine, unit.startColumn, unit.endLine, unit.endColumn].join();
      const known = blocks.get(key) ?? { statements: unit.statements, by: new Set() };
      if (unit.count > 0) known.by.add(kind);
      blocks.set(key, known);
    }
  });
  const expected = { both: 0, neither: 0, [`only ${kinds[0].label}`]: 0, [`only ${kinds[1].label}`]: 0 };
  for (const { statements, by } of blocks.values()) {
    expected[by.size === 2 ? "both" : by.size === 0 ? "neither" : `only ${kinds[[...by][0]].label}`] += statements;
  }
  await withPage({}, async (page) => {
    const legend = await page.locator("#kinds .kind-choice").allTextContents();
    const shown = Object.fromEntries(legend.map((text) => text.match(/^(.*?)([\d,]+) statements$/).slice(1)).map(([name, count]) => [name, Number(count.replaceAll(",", ""))]));
    assert.deepEqual(shown, expected);
    await screenshot(page, "kinds");

    // One kind chosen: its files, and in a file its lines, to which n leads.
    await page.locator("#kinds .kind-choice").filter({ hasText: "neither" }).click();
    await page.locator("#open-all").check();
    const links = page.locator("#files tr.file a");
    const titles = await links.evaluateAll((list) => list.map((link) => link.title));
    await links.nth(titles.findIndex((title) => profile.has(title) && isSound(title))).click();
    await page.locator(".source").waitFor();
    await page.keyboard.press("n");
    assert.match(await page.locator("tr.target .by").textContent(), /neither/);
    assert.ok((await page.locator("tr.dimmed").count()) > 0);
    assert.equal(await page.locator("tr.target.dimmed").count(), 0);
    await page.locator("#file .kind-choice[aria-pressed=true]").click();
    assert.equal(await page.locator("tr.dimmed").count(), 0);
    await screenshot(page, "file-kinds");
  });
});

test("a line names the tests that ran it", { skip: kinds.length !== 2 && "this report has no tests" }, async () => {
  // Of this report each kind is a test as well.
  const file = telling();
  const ranBy = (line) => kinds.filter(({ profile: own }) => (own.get(file) ?? []).some((unit) => unit.count > 0 && unit.startLine <= line && line <= unit.endLine && !(line === unit.endLine && unit.endColumn <= 1)));
  await withPage({}, async (page) => {
    await openFile(page, file);
    const line = Number((await page.locator("tr.hit").first().getAttribute("id")).slice(1));
    await page.locator(`#L${line} .count button`).click();
    const names = ranBy(line).map(({ label }) => label);
    await page.locator("#line-details h3").filter({ hasText: names.length === 1 ? "1 test" : `${names.length} tests` }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#test-picker").selectOption({ label: names[0] });
    await page.locator("tr.target").waitFor({ state: "detached" });
    const dimmed = await page.locator("tr:not(.dimmed).hit").evaluateAll((rows) => rows.map((row) => Number(row.id.slice(1))));
    for (const other of dimmed) assert.ok(ranBy(other).some(({ label }) => label === names[0]), `${file}:${other}`);
  });
});

testWithData("of a long list only what is in view is made, and its end can be reached", async (context) => {
  await withPage({}, async (page) => {
    await page.locator("#group").uncheck();
    const count = Number(await page.locator("#files").getAttribute("aria-rowcount")) - 1;
    if (!(await page.locator("#files.long").count())) return context.skip("this report has few files");
    assert.ok((await rows(page).count()) < 150);
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await page.locator(`#files tr[aria-rowindex="${count + 1}"]`).waitFor();
    assert.ok((await rows(page).count()) < 150);
  });
});

const serious = (page) =>
  page.evaluate(`${axe}; axe.run().then(({ violations }) => violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => id + ": " + nodes.slice(0, 3).map(({ html, failureSummary }) => html + failureSummary).join("; ")))`);

for (const colorScheme of ["light", "dark"]) {
  for (const [name, viewport] of Object.entries({ desktop, phone })) {
    test(`it is readable and accessible: ${colorScheme}, ${name}`, async () => {
      await withPage({ colorScheme, viewport }, async (page) => {
        const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
        await page.locator("details.about").evaluate((details) => void (details.open = true));
        assert.ok(await fits(), "the overview is wider than the window");
        assert.deepEqual(await serious(page), []);
        await page.locator("details.about").evaluate((details) => void (details.open = false));
        await screenshot(page, `overview-${colorScheme}-${name}`);
        if (!hasData) return;
        await openFile(page, telling());
        await page.keyboard.press("n");
        assert.ok(await fits(), "the file is wider than the window");
        assert.deepEqual(await serious(page), []);
        await screenshot(page, `file-${colorScheme}-${name}`);
        const [ink, paper] = await page.evaluate(() => {
          const { color, backgroundColor } = getComputedStyle(document.body);
          return [color, backgroundColor].map((text) => Number(text.match(/\d+/)[0]));
        });
        assert.equal(ink > paper, colorScheme === "dark");
      });
    });
  }
}

testWithData("it works by keyboard alone", async () => {
  await withPage({}, async (page) => {
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.id), "skip");
    await page.keyboard.press("Enter");
    const reach = async (selector) => {
      for (let presses = 0; presses < 200; presses += 1) {
        await page.keyboard.press("Tab");
        if (await page.evaluate((wanted) => document.activeElement.closest(wanted) !== null, selector)) return;
      }
      assert.fail(`Tab does not reach ${selector}`);
    };
    await reach("#files tr.package");
    if ((await page.locator("#files tr.file").count()) === 0) await page.keyboard.press("Enter");
    await reach("#files tr.file");
    await page.keyboard.press("Enter");
    await page.locator("#file h1").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1");
  });
});
