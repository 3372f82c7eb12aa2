// Bundles GraphiQL into the folder named as argument: app.js and app.css, the editor's workers, the chunks that
// are loaded when they are needed, and the licenses of all that is in them. Called by the build hook (hook.py).
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { build } from "esbuild";

const folder = process.argv[2];
const { metafile } = await build({
  entryPoints: {
    app: "app.jsx",
    "editor.worker": "monaco-editor/esm/vs/editor/editor.worker.js",
    "graphql.worker": "monaco-graphql/esm/graphql.worker.js",
    "json.worker": "monaco-editor/esm/vs/language/json/json.worker.js",
  },
  outdir: folder,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  minify: true,
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".ttf": "file" },
  // GraphiQL formats with these by their names of prettier 2, which are CommonJS: the bundle would find no parser.
  alias: { "prettier/parser-babel": "prettier/plugins/babel", "prettier/parser-graphql": "prettier/plugins/graphql" },
  metafile: true,
  logLevel: "warning",
});
// The style of a chunk is in app.css already, by way of GraphiQL's own style sheet; nothing loads it by itself.
Object.keys(metafile.outputs).filter((path) => /-\w+\.css$/.test(path)).forEach((path) => rmSync(path));
writeFileSync(join(folder, "LICENSES.txt"), licenses(Object.keys(metafile.inputs)));

function licenses(inputs) {
  const found = inputs.map((path) => path.match(/^(?:.*node_modules\/)?node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]);
  return [...new Set(found)].filter(Boolean).sort().map(license).join("\n\n");
}

function license(path) {
  const { name, version, license } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
  const file = readdirSync(path).find((one) => /^licen[cs]e/i.test(one));
  return `${name} ${version} (${license})\n\n${file ? readFileSync(join(path, file), "utf8") : ""}`;
}
