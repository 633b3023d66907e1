// Bundles the page into the Python package: `make viewer` runs it.
import { createHash } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { build } from "esbuild";

const OUT = "../src/cellscale/viewer/static";

// tests/viewer/test_built.py makes the same sum, so that a bundle of other sources does not pass.
const sum = createHash("sha256");
for (const folder of ["src", "page"])
  for (const name of readdirSync(folder).sort()) sum.update(readFileSync(`${folder}/${name}`));
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
