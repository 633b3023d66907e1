// Bundles the page into the Python package: `make viewer` runs it.
import { createHash } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { build } from "esbuild";

const OUT = "../src/cellscale/viewer/static";

// tests/viewer/test_built.py makes the same sum, so that a bundle of other sources does not pass.
const sum = createHash("sha256");
const sources = ["src", "page"].flatMap((folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`),
);
for (const source of sources.sort()) sum.update(readFileSync(source));
sum.update(readFileSync("package-lock.json"));

await build({
  entryPoints: ["src/main.ts"],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "eof",
  banner: { js: `/* Built by "make viewer" from viewer/, sources ${sum.digest("hex")} */` },
  outfile: `${OUT}/viewer.js`,
});
await build({ entryPoints: ["page/viewer.css"], minify: true, target: "es2022", outfile: `${OUT}/viewer.css` });
for (const name of ["index.html", "icon.svg"]) copyFileSync(`page/${name}`, `${OUT}/${name}`);
copyFileSync("node_modules/openseadragon/LICENSE.txt", `${OUT}/LICENSE-openseadragon.txt`);
