// `podcov serve` in a real browser: `node serve.test.mjs PODCOV RUN_DIRECTORY SOURCES API`. The run is copied to where the
// page looks for one, and taken away again; then the API of the shop, built with coverage, is run there.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { launch } from "./browser.mjs";

const [podcov, run, sources, api] = process.argv.slice(2);
assert.ok(podcov && run && sources && api, "usage: node serve.test.mjs PODCOV RUN_DIRECTORY SOURCES API");
const place = mkdtempSync(path.join(os.tmpdir(), "podcov-serve-"));
/** Long for what takes seconds, on a machine that does other things as well. */
const PATIENCE = 60_000;

const started = [];
let browser;
before(async () => {
  browser = await launch();
});
after(async () => {
  await browser?.close();
  started.forEach((child) => child.kill("SIGINT"));
  rmSync(place, { recursive: true, force: true });
});

/** A podcov that serves the directory. */
const serve = async (directory) => {
  const server = spawn(podcov, ["serve", directory, "--source", sources], { stdio: ["ignore", "pipe", "inherit"] });
  started.push(server);
  for await (const address of createInterface({ input: server.stdout })) return { server, address };
  throw new Error("podcov serve said no address");
};

/** A page that follows what is served; nothing else may be asked for, and nothing may go wrong in it. */
const open = async (address) => {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  const heard = [];
  page.on("pageerror", (error) => heard.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(address) && !request.url().startsWith("data:")) heard.push(request.url());
  });
  const live = (text) => page.locator("#live-text").filter({ hasText: text }).waitFor();
  // Until the directory was looked at for the first time, it says that it is being read.
  await page.goto(address);
  return { page, heard, live };
};

test("an open page shows a run when it comes, stays where it was, and says when the run or podcov is gone", async () => {
  const directory = path.join(place, "coverage");
  const { server, address } = await serve(directory);
  const { page, heard, live } = await open(address);
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

test("figures rise while a program works, and its run is shown as it ends: by itself, or killed", async () => {
  const directory = path.join(place, "live");
  const { address } = await serve(directory);
  const { page, heard, live } = await open(address);
  await live("There is no run in");
  const finished = page.locator(".about dd").filter({ hasText: "the run did not end" });

  const first = await runApi(directory);
  await live("The run goes on");
  const covered = () => page.locator("#total + p").textContent().then((text) => Number.parseInt(text.replaceAll(",", ""), 10));
  await until("counters of the living program are shown", async () => (await covered()) > 0);
  await page.getByText("What is missing is known when the run has ended").waitFor();
  const before = await covered();
  assert.equal((await fetch(`${first.url}/products`)).status, 200);
  await until(`more than ${before} statements have run`, async () => (await covered()) > before);
  first.endTests();
  assert.deepEqual(await once(first.podcov, "exit"), [0, null]);
  await live("The run has ended");
  await page.getByText("✓ complete").waitFor();

  const second = await runApi(directory);
  await live("The run goes on");
  await until("counters of the living program are shown", async () => (await covered()) > 0);
  second.podcov.kill("SIGKILL");
  await live("The run did not end: its podcov was killed. Shown is what was there");
  assert.equal(await page.locator("#live").getAttribute("data-state"), "problem");
  await finished.waitFor({ state: "attached" });
  assert.equal(await page.getByText("What is missing is known when").count(), 0);
  // The API is told to end, and leaves what it had counted.
  await page.getByText("✓ complete").waitFor();
  second.endTests();
  assert.deepEqual(heard, []);
});

/** A run with the API, whose tests go on until they are told to end. */
const runApi = async (directory) => {
  const listener = net.createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  await new Promise((done) => void listener.close(done));
  const url = `http://127.0.0.1:${port}`;
  const end = path.join(place, `end-of-${port}`);
  const exec = `'${api}' --listen 127.0.0.1:${port}`;
  const tests = ["sh", "-c", 'until [ -e "$1" ]; do sleep 0.1; done', "tests", end];
  const options = ["--output-dir", directory, "--source", sources, "--exec", exec, "--ready", `api=${url}/readyz`];
  const child = spawn(podcov, ["run", ...options, "--", ...tests], { stdio: ["ignore", "ignore", "inherit"] });
  started.push(child);
  return { podcov: child, url, endTests: () => writeFileSync(end, "") };
};

/** Waits until it is so; the page may be loading again meanwhile. */
const until = async (what, isSo) => {
  const deadline = Date.now() + PATIENCE;
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, `waited ${PATIENCE / 1000} s for this: ${what}`);
    await new Promise((done) => void setTimeout(done, 100));
  }
};
