// `podcov serve` in a real browser: `node serve.test.mjs PODCOV RUN_DIRECTORY SOURCES`. The run is copied to where the
// page looks for one, and taken away again.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { launch } from "./browser.mjs";

const [podcov, run, sources] = process.argv.slice(2);
assert.ok(podcov && run && sources, "usage: node serve.test.mjs PODCOV RUN_DIRECTORY SOURCES");
const place = mkdtempSync(path.join(os.tmpdir(), "podcov-serve-"));
const directory = path.join(place, "coverage");

let server, address, browser;
before(async () => {
  server = spawn(podcov, ["serve", directory, "--source", sources], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: server.stdout })) {
    address = line;
    break;
  }
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.kill("SIGINT");
  rmSync(place, { recursive: true, force: true });
});

test("an open page shows a run when it comes, stays where it was, and says when the run or podcov is gone", async () => {
  const page = await browser.newPage();
  const heard = [];
  page.on("pageerror", (error) => heard.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(address) && !request.url().startsWith("data:")) heard.push(request.url());
  });
  const live = (text) => page.locator("#live-text").filter({ hasText: text }).waitFor();
  // Until the directory was looked at for the first time, it says that it is being read.
  await page.goto(address);
  await live("There is no run in");

  cpSync(run, directory, { recursive: true });
  await page.locator("#files tr.file").first().waitFor();
  await live("The run has ended");

  const first = await page.locator("#files tr.file a").first().getAttribute("href");
  await page.evaluate((hash) => void (location.hash = hash), `${first}&line=3`);
  await page.locator("tr.target").waitFor();
  renameSync(directory, path.join(place, "earlier"));
  await live("There is no run in");
  assert.equal(await page.locator("tr.target").getAttribute("id"), "L3");
  cpSync(run, directory, { recursive: true });
  await live("The run has ended");
  await page.locator("tr.target").waitFor();
  assert.equal(await page.locator("tr.target").getAttribute("id"), "L3");

  server.kill("SIGINT");
  await live("podcov no longer answers");
  assert.deepEqual(heard, []);
});
