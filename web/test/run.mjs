// Bundles the tests with the page's own compiler and runs them with node's own runner.
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = path.dirname(fileURLToPath(import.meta.url));
const tests = (await readdir(here)).filter((name) => name.endsWith(".test.ts"));
const outdir = await mkdtemp(path.join(tmpdir(), "vedette-web-"));
try {
  await build({
    entryPoints: tests.map((name) => path.join(here, name)), outdir, outExtension: { ".js": ".mjs" },
    bundle: true, platform: "node", format: "esm", logLevel: "warning",
  });
  const files = tests.map((name) => path.join(outdir, name.replace(/\.ts$/, ".mjs")));
  process.exitCode = spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" }).status ?? 1;
} finally {
  await rm(outdir, { recursive: true, force: true });
}
