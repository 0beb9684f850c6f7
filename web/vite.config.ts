import { defineConfig } from "vite";

/** What is fetched on demand has no styles, and imports only what its page has already: vite's 1 kB of preloading is left out. */
const plainImports = {
  name: "plain-imports",
  enforce: "pre",
  load: (id: string) => (id === "\0vite/preload-helper.js" ? "export const __vitePreload = (load) => load();" : null),
} as const;

export default defineConfig({
  plugins: [plainImports],
  // The gateway serves web/static under /static/, and each page at its own short address.
  base: "/static/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "static",
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: { input: ["index.html", "console.html", "manager.html", "phone.html"] },
  },
  server: {
    proxy: { "/api": "http://127.0.0.1:8080", "/ws": { target: "ws://127.0.0.1:8080", ws: true } },
  },
  test: { environment: "node", include: ["test/**/*.test.ts"] },
} as never);
