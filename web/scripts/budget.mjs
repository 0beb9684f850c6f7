// Fails the build when a page loads more JavaScript (gzip) than its budget. Counts all chunks a page can load.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_KB = { index: 40, phone: 40, console: 80, manager: 80 };
const STATIC = new URL("../static/", import.meta.url);

const read = (path) => readFileSync(new URL(path, STATIC), "utf8");
const imports = (code) => [...code.matchAll(/["'`](?:\.\/|assets\/|\/static\/assets\/)([\w.-]+\.js)["'`]/g)].map((hit) => hit[1]);

function reach(names, seen = new Set()) {
  for (const name of names) {
    if (seen.has(name)) continue;
    seen.add(name);
    reach(imports(read(`assets/${name}`)), seen);
  }
  return seen;
}

let over = false;
for (const [page, budget] of Object.entries(BUDGET_KB)) {
  const entry = [...read(`${page}.html`).matchAll(/assets\/([\w.-]+\.js)"/g)].map((hit) => hit[1]);
  const size = [...reach(entry)].reduce((sum, name) => sum + gzipSync(read(`assets/${name}`), { level: 9 }).length, 0);
  const kb = size / 1000;
  over ||= kb > budget;
  console.log(`${page.padEnd(8)} ${kb.toFixed(1).padStart(6)} kB gzip of ${budget}${kb > budget ? "  OVER BUDGET" : ""}`);
}
process.exit(over ? 1 : 0);
