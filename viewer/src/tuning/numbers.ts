/** Counts and areas of what was found, and how it differs from the start. */

import type { Mask } from "../api";
import { byId, make, shortNumber } from "../dom";
import type { Found, Numbers } from "./asked";

const NAMES: Record<Mask, string> = { cells: "Cells", nuclei: "Nuclei" };

export function showNumbers(found: Found): void {
  const unit = found.mpp === null ? "px" : "µm²";
  const masks = (Object.keys(NAMES) as Mask[]).filter((mask) => found.masks[mask] !== undefined);
  const head = ["", ...masks.map((mask) => NAMES[mask])].map((text) => make("th", { textContent: text, scope: "col" }));
  const line = (name: string, text: (numbers: Numbers) => string) =>
    make(
      "tr",
      {},
      make("th", { textContent: name, scope: "row" }),
      ...masks.map((mask) => make("td", { textContent: text(found.masks[mask] as Numbers) })),
    );
  byId("tuning-numbers").replaceChildren(
    make("tr", {}, ...head),
    line("Found", ({ count, start }) => (start === null || start === count ? whole(count) : `${whole(count)} (${signed(count - start)})`)),
    line(`Mean area, ${unit}`, ({ mean }) => (mean === null ? "–" : shortNumber(Number(mean.toPrecision(4))))),
    line(`Median area, ${unit}`, ({ median }) => (median === null ? "–" : shortNumber(Number(median.toPrecision(4))))),
    line("By the last setting", ({ touched }) => whole(touched.length)),
    line("Other shape", ({ change }) => (change === null ? "–" : whole(change.changed))),
    line("New", ({ change }) => (change === null ? "–" : whole(change.new))),
    line("Gone", ({ change }) => (change === null ? "–" : whole(change.gone))),
  );
  byId("tuning-touched").hidden = !Object.values(found.masks).some(({ touched }) => touched.length > 0);
}

function whole(number: number): string {
  return number.toLocaleString("en");
}

function signed(number: number): string {
  return number > 0 ? `+${whole(number)}` : `−${whole(-number)}`;
}
