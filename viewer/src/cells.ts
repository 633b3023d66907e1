/** How cells and nuclei are drawn, and which measurement colours them. */

import type { ImageFacts, Mask } from "./api";
import { mapGradient } from "./colors";
import { byId, make, shortNumber } from "./dom";
import { notice } from "./notice";
import { MODES, type Mode, type Settings } from "./settings";

export interface CellEvents {
  mode(mask: Mask, mode: Mode): void;
  opacity(opacity: number): void;
  measurement(name: string | null): void;
  range(range: [number, number] | null): void;
  threshold(threshold: number | null): void;
  jump(label: number): void;
}

const NAMES: Record<Mask, string> = { cells: "Cells", nuclei: "Nuclei" };
const MODE_NAMES: Record<Mode, string> = { off: "Off", outlines: "Outlines", filled: "Filled" };

export class CellControls {
  private readonly opacity = byId<HTMLInputElement>("opacity");
  private readonly measurement = byId<HTMLInputElement>("measurement");
  private readonly label = byId<HTMLInputElement>("label");
  private readonly ends = ["legend-low", "legend-high"].map((id) => byId<HTMLInputElement>(id));
  private readonly threshold = byId<HTMLInputElement>("threshold");
  private names = new Set<string>();

  constructor(private readonly events: CellEvents) {
    this.opacity.addEventListener("input", () => events.opacity(Number(this.opacity.value) / 100));
    this.measurement.addEventListener("input", () => this.chosen());
    this.measurement.addEventListener("change", () => {
      const name = this.measurement.value;
      if (name !== "" && !this.names.has(name)) notice(`No measurement is called ${name}`, true);
    });
    byId("jump").addEventListener("submit", (event) => {
      event.preventDefault();
      const label = Number(this.label.value.trim());
      if (Number.isInteger(label) && label > 0) events.jump(label);
    });
    this.threshold.addEventListener("input", () => {
      const value = this.threshold.valueAsNumber;
      events.threshold(Number.isFinite(value) ? value : null);
    });
    for (const end of this.ends) end.addEventListener("change", () => this.ranged());
    byId("legend-reset").addEventListener("click", () => events.range(null));
    byId("legend-colors").style.background = mapGradient;
  }

  open(facts: ImageFacts): void {
    byId("objects").hidden = facts.masks.length === 0;
    byId("modes").replaceChildren(...facts.masks.map((mask) => this.choice(mask)));
    this.names = new Set(facts.measurements);
    const options = facts.measurements.map((name) => make("option", { value: name }));
    byId("measurements").replaceChildren(...options);
    this.measurement.closest("label")?.toggleAttribute("hidden", options.length === 0);
    this.label.value = "";
  }

  show(settings: Settings): void {
    for (const input of byId("modes").querySelectorAll("input"))
      input.checked = settings.modes[input.name as Mask] === input.value;
    this.opacity.value = String(Math.round(settings.opacity * 100));
    if (document.activeElement !== this.measurement) this.measurement.value = settings.measurement ?? "";
  }

  /** Show what the colours mean, or nothing. */
  legend(name: string | null, range: [number, number]): void {
    byId("legend").hidden = name === null;
    byId("legend-name").textContent = name;
    this.ends.forEach((input, end) => {
      input.value = shortNumber(range[end]);
    });
  }

  /** Show what the colours of classes mean, in place of those of numbers. */
  classes(classes: { name: string; color: string; count: number }[]): void {
    const lines = classes.map(({ name, color, count }) => {
      const patch = make("i");
      patch.style.background = color;
      const words = make("span", { textContent: name });
      return make("li", {}, patch, words, make("span", { textContent: count.toLocaleString("en") }));
    });
    byId("legend-classes").replaceChildren(...lines);
    byId("legend").classList.toggle("of-classes", classes.length > 0);
  }

  /** Show how many objects reach the threshold; nothing where no numbers are shown. */
  share(threshold: number | null, found: { count: number; of: number } | null): void {
    byId("threshold-line").hidden = found === null;
    byId("threshold-share").hidden = found === null || threshold === null;
    if (document.activeElement !== this.threshold) this.threshold.value = threshold === null ? "" : String(threshold);
    if (found === null) return;
    const percent = found.of === 0 ? 0 : (100 * found.count) / found.of;
    const [count, of] = [found.count, found.of].map((number) => number.toLocaleString("en"));
    byId("threshold-share").textContent = `${count} of ${of} cells (${percent.toFixed(1)} %)`;
  }

  focusJump(): void {
    this.label.focus();
    this.label.select();
  }

  private chosen(): void {
    const name = this.measurement.value;
    if (name === "") this.events.measurement(null);
    else if (this.names.has(name)) this.events.measurement(name);
  }

  private ranged(): void {
    const [low, high] = this.ends.map((input) => input.valueAsNumber);
    if (low < high) this.events.range([low, high]);
  }

  private choice(mask: Mask): HTMLElement {
    const labels = MODES.map((mode) => {
      const input = make("input", { type: "radio", name: mask, value: mode });
      input.addEventListener("change", () => this.events.mode(mask, mode));
      return make("label", {}, input, MODE_NAMES[mode]);
    });
    const group = make("div", { className: "choice", role: "radiogroup", ariaLabel: NAMES[mask] }, ...labels);
    return make("div", { className: "mode" }, make("span", { textContent: NAMES[mask] }), group);
  }
}
