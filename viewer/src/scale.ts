/** The scale bar. */

import { byId } from "./dom";

const WIDEST = 150;

/** Show a bar of a round length; lengths are in pixels where nobody knows micrometres. */
export function showScale(screenPixelsPerPixel: number, micrometres: number | null): void {
  const perUnit = micrometres === null ? screenPixelsPerPixel : screenPixelsPerPixel / micrometres;
  const length = roundDown(WIDEST / perUnit);
  const [shown, unit] = micrometres === null ? [length, "px"] : length >= 1000 ? [length / 1000, "mm"] : [length, "µm"];
  const text = `${Number(shown.toPrecision(3)).toLocaleString("en")} ${unit}`;
  byId("scale-text").textContent = text;
  byId("scale").setAttribute("aria-label", `Scale bar: ${text}`);
  byId("scale-bar").style.width = `${length * perUnit}px`;
}

/** The largest of 1, 2, 5, 10, 20, ... that is not above a number. */
function roundDown(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [5, 2, 1].find((one) => one * power <= value) ?? 1;
  return step * power;
}
