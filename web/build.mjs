// Bundles islands and styles into the Python package. Names carry a content hash, so that they may be cached for ever;
// manifest.json says which name is in force. Nothing is fetched at run time.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { PurgeCSS } from "purgecss";

const here = dirname(fileURLToPath(import.meta.url));
const rooms = join(here, "../src/haitang");
const out = join(rooms, "web_assets");
const manifest = {};

function files(folder, ...endings) {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((name) => endings.includes(extname(name)) && !name.startsWith(out) && statSync(name).isFile());
}

function keep(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const hashed = name.replace(/(\.\w+)$/, `.${hash}$1`);
  writeFileSync(join(out, hashed), content);
  manifest[name] = hashed;
}

const templates = files(rooms, ".html", ".py");
const islands = files(join(here, "src"), ".ts");

async function scripts() {
  const made = await build({
    entryPoints: ["src/app.ts", "src/theme.ts"],
    absWorkingDir: here,
    bundle: true,
    format: "esm",
    splitting: true,
    minify: true,
    target: ["chrome102", "firefox102", "safari15.4"],
    outdir: out,
    entryNames: "[name].[hash]",
    chunkNames: "[name].[hash]",
    legalComments: "linked",
    metafile: true,
    logLevel: "warning",
  });
  for (const [file, { entryPoint }] of Object.entries(made.metafile.outputs)) {
    if (entryPoint?.startsWith("src/") && ["app.ts", "theme.ts"].includes(basename(entryPoint))) {
      manifest[basename(entryPoint).replace(".ts", ".js")] = basename(file);
    }
  }
}

// Only rules whose names occur in a template, a page or an island are kept: Tabler whole is 630 kB, what we use a tenth.
async function styles() {
  for (const name of ["app.css", "map.css"]) {
    const made = await build({
      entryPoints: [`src/styles/${name}`],
      absWorkingDir: here,
      bundle: true,
      minify: true,
      write: false,
      loader: { ".png": "dataurl", ".svg": "dataurl", ".gif": "dataurl" },
      target: ["chrome102", "firefox102", "safari15.4"],
      logLevel: "warning",
    });
    const css = made.outputFiles[0].text;
    if (name === "map.css") keep(name, css);
    else keep(name, await purged(css));
  }
}

async function purged(css) {
  const [result] = await new PurgeCSS().purge({
    content: [...templates, ...islands],
    css: [{ raw: css }],
    safelist: { standard: [/^data-/, "htmx-request", "htmx-swapping"], greedy: [/^status-/, /^severity-/, /^aqi-/] },
    variables: false,
  });
  return result.css;
}

// One sprite of the icons that templates name: {% icon "bell" %}, icon="bell".
function icons() {
  const named = new Set();
  for (const file of templates) {
    for (const [, name] of readFileSync(file, "utf8").matchAll(/\bicon[ =(]\s*"([a-z0-9-]+)"/g)) named.add(name);
  }
  const symbols = [...named].sort().map((name) => {
    const svg = readFileSync(join(here, `node_modules/@tabler/icons/icons/outline/${name}.svg`), "utf8");
    const inside = svg.replace(/<!--[\s\S]*?-->/g, "").replace(/^[\s\S]*?<svg[\s\S]*?>/, "").replace("</svg>", "").replace(/\s+/g, " ");
    return `<symbol id="${name}" viewBox="0 0 24 24">${inside.trim()}</symbol>`;
  });
  keep("icons.svg", `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`);
}

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await scripts();
await styles();
icons();
for (const name of files(join(here, "src/images"), ".svg", ".png")) keep(basename(name), readFileSync(name));
for (const name of readdirSync(out).filter((name) => /\.(js|css|svg)$/.test(name))) {
  const content = readFileSync(join(out, name));
  writeFileSync(join(out, `${name}.br`), brotliCompressSync(content));
  writeFileSync(join(out, `${name}.gz`), gzipSync(content, { level: 9 }));
}
writeFileSync(join(out, "manifest.json"), JSON.stringify(manifest, null, 1));
for (const name of readdirSync(out)) console.log(`${String(statSync(join(out, name)).size).padStart(8)}  ${relative(here, join(out, name))}`);
