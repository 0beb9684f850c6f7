// Fails the build when a page loads more JavaScript (gzip) than its budget: what it imports, without the chunks it fetches
// on demand (the English words; a page in English loads them on top and is shown beside it).
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_KB = { index: 40, phone: 40, console: 80, manager: 80 };
const STATIC = new URL("../static/", import.meta.url);

const read = (path) => readFileSync(new URL(path, STATIC), "utf8");
const found = (code, pattern) => [...code.matchAll(pattern)].map((hit) => hit[1]);
const imports = (code) => found(code, /(?:from|import)\s*["'`]\.\/([\w.-]+\.js)["'`]/g);
const fetched = (code) => found(code, /import\(["'`]\.\/([\w.-]+\.js)["'`]\)/g);
const gzipped = (names) => [...names].reduce((sum, name) => sum + gzipSync(read(`assets/${name}`), { level: 9 }).length, 0);

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
  const loaded = reach(entry);
  const more = new Set([...loaded].flatMap((name) => fetched(read(`assets/${name}`))));
  const kb = gzipped(loaded) / 1000;
  over ||= kb > budget;
  console.log(`${page.padEnd(8)} ${kb.toFixed(1).padStart(6)} kB gzip of ${budget}, on demand ${(gzipped(more) / 1000).toFixed(1)}${kb > budget ? "  OVER BUDGET" : ""}`);
}
process.exit(over ? 1 : 0);
