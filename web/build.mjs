// Builds the page into the Python package: hashed names, no source maps, nothing that needs a network.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { feature, mesh } from "topojson-client";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, "..", "src", "vedette", "console", "static");

const common = {
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  write: false,
  logLevel: "warning",
};

// esbuild's own hashes depend on paths; these depend on content alone, so a rebuild names the same files.
async function emit(stem, extension, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 8).toUpperCase();
  const name = `${stem}-${hash}${extension}`;
  await writeFile(path.join(out, name), content);
  return `/static/${name}`;
}

async function bundle(stem, extension, entry, options = {}) {
  const result = await build({ ...common, ...options, entryPoints: [entry] });
  return emit(stem, extension, result.outputFiles[0].contents);
}

// Natural Earth 1:50m (public domain): 0.001 degree is 100 m, far below its own accuracy.
async function world() {
  const file = path.join(here, "node_modules", "world-atlas", "countries-50m.json");
  const topology = JSON.parse(await readFile(file, "utf8"));
  const { countries, land } = topology.objects;
  const shore = feature(topology, land);
  const parts = shore.type === "FeatureCollection" ? shore.features : [shore];
  const borders = { type: "Feature", properties: { part: "border" }, geometry: mesh(topology, countries, (a, b) => a !== b) };
  const features = [...parts.map((f) => ({ type: "Feature", properties: { part: "land" }, geometry: f.geometry })), borders];
  const round = (_, value) => (typeof value === "number" ? Math.round(value * 1000) / 1000 : value);
  return JSON.stringify({ type: "FeatureCollection", features }, round);
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });

const workerUrl = await bundle("worker", ".mjs", path.join(here, "node_modules/maplibre-gl/dist/maplibre-gl-worker.mjs"));
const worldUrl = await emit("world", ".json", await world());
const scriptUrl = await bundle("app", ".mjs", path.join(here, "src", "main.ts"), {
  define: { WORKER_URL: JSON.stringify(workerUrl), WORLD_URL: JSON.stringify(worldUrl) },
  tsconfig: path.join(here, "tsconfig.json"),
});
const styleUrl = await bundle("style", ".css", path.join(here, "style.css"), { external: ["*.svg"] });

const page = await readFile(path.join(here, "index.html"), "utf8");
await writeFile(path.join(out, "index.html"), page.replace("%STYLE%", styleUrl).replace("%SCRIPT%", scriptUrl));
