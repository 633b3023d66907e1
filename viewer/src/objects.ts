/** Cells and nuclei: how they are drawn, what colours them, and which one is selected. */

import * as api from "./api";
import type { ImageFacts, Mask, ObjectFacts } from "./api";
import { CellControls } from "./cells";
import { labelPixels, pixel, rgb } from "./colors";
import type { Excluded } from "./drawn/excluded";
import { CLASS, type Measured, measuredColors, reaching, usualRange } from "./measured";
import { hideNotice, notice } from "./notice";
import type { MaskStyle } from "./outlines";
import type { Picture } from "./picture";
import { SelectionPanel } from "./selection";
import { MODES, type Selected } from "./settings";
import type { Shown } from "./shown";
import type { TileStore } from "./store";

const OUTLINES: Record<Mask, number> = { cells: pixel(rgb("#ffffff"), 0.9), nuclei: pixel(rgb("#ffe14d"), 0.9) };
const BESIDE_COLORS = pixel(rgb("#ffffff"), 0.45);

/** Screen pixels a pixel at which a cell is looked at. */
const CLOSE_UP = 3;

export interface ObjectsHost {
  readonly tile: number;
  readonly store: TileStore;
  readonly picture: Picture;
  readonly excluded: Excluded;
  /** Draw the labels again. */
  redraw(): void;
  /** Do something that may fail, and tell the user if it does. */
  attempt(work: () => Promise<void>): Promise<void>;
}

export class Objects {
  /** How the masks are drawn that are shown. */
  styles = new Map<Mask, MaskStyle>();
  private readonly controls: CellControls;
  private readonly panel: SelectionPanel;
  private shown: Shown | null = null;
  private labels = new Map<Mask, Uint32Array>();
  private measured: Measured | null = null;
  private object: ObjectFacts | null = null;
  private touched = new Map<Mask, number[]>();

  constructor(private readonly host: ObjectsHost) {
    const color = (name: string | null) => void host.attempt(() => this.choose(name));
    this.controls = new CellControls({
      mode: (mask, mode) => this.change((settings) => (settings.modes[mask] = mode)),
      opacity: (opacity) => this.change((settings) => (settings.opacity = opacity)),
      measurement: color,
      range: (range) => this.setRange(range),
      threshold: (threshold) => this.change((settings) => (settings.threshold = threshold)),
      jump: (label) => void host.attempt(() => this.jump(label)),
    });
    this.panel = new SelectionPanel(
      {
        show: () => this.showSelected(),
        close: () => this.deselect(),
        measurement: (name) => color(name === this.shown?.settings.measurement ? null : name),
      },
      (name) => this.shown?.facts.measurements.includes(name) ?? false,
    );
  }

  open(shown: Shown): void {
    this.shown = shown;
    this.styles = new Map();
    this.labels = new Map();
    this.measured = null;
    this.object = null;
    this.touched = new Map();
    this.controls.open(shown.facts);
    this.panel.hide();
    this.draw();
  }

  /** Draw again: other cells are excluded. */
  excludedChanged(): void {
    this.draw();
  }

  /** Draw again: these are other objects, of which some are to be seen as changed. */
  touch(labels: Map<Mask, number[]>): void {
    this.touched = labels;
    this.deselect();
  }

  focusJump(): void {
    this.controls.focusJump();
  }

  cycleMode(mask: Mask): void {
    if (!this.shown?.facts.masks.includes(mask)) return;
    this.change(({ modes }) => (modes[mask] = MODES[(MODES.indexOf(modes[mask]) + 1) % MODES.length]));
  }

  /** Colour by the measurement that the settings name. */
  async color(): Promise<void> {
    const { shown } = this;
    if (shown === null) return;
    const { number, facts, settings } = shown;
    const name = settings.measurement;
    let measured: Measured | null = null;
    if (name !== null) {
      const values = await api.measurementValues(number, facts.measurements.indexOf(name));
      await this.fetchLabels(shown);
      if (this.shown !== shown || settings.measurement !== name) return; // something else was chosen meanwhile
      const classes = name === CLASS && facts.classes.length > 0 ? facts.classes.map(({ color }) => rgb(color)) : null;
      measured = { name, values, range: settings.range ?? usualRange(values), classes };
    }
    this.measured = measured;
    this.draw();
  }

  /** Select the cell, or else the nucleus, at a pixel of the image. */
  async pick(x: number, y: number): Promise<void> {
    const { shown } = this;
    if (shown === null) return;
    const { tile, store } = this.host;
    const at = { level: 0, row: Math.floor(y / tile), column: Math.floor(x / tile) };
    const stride = Math.min(tile, shown.facts.width - at.column * tile) + 2;
    for (const mask of shown.facts.masks) {
      const labels = new Uint32Array(await store.load(api.maskTile(shown.number, shown.facts, mask, at)));
      if (this.shown !== shown) return;
      const label = labels[((y % tile) + 1) * stride + (x % tile) + 1];
      if (label > 0) return this.select({ mask, label });
    }
    this.deselect();
  }

  async select(selected: Selected): Promise<void> {
    const { shown } = this;
    if (shown === null) return;
    const object = await api.objectFacts(shown.number, shown.facts, selected.mask, selected.label);
    if (this.shown !== shown) return;
    if (object === null) {
      notice(`This image has no ${selected.mask === "cells" ? "cell" : "nucleus"} ${selected.label}`, true);
      return;
    }
    hideNotice();
    this.object = object;
    this.panel.show(selected, object);
    this.host.excluded.show(object.row?.id ?? "");
    this.change((settings) => (settings.selected = selected));
  }

  deselect(): void {
    this.object = null;
    this.panel.hide();
    this.change((settings) => (settings.selected = null));
  }

  /** Colour by another measurement, or none; cells are filled then, if nothing else is. */
  private async choose(name: string | null): Promise<void> {
    if (this.shown === null) return;
    const { facts, settings } = this.shown;
    settings.measurement = name;
    settings.range = null;
    settings.threshold = null;
    if (name !== null && facts.masks.every((mask) => settings.modes[mask] !== "filled"))
      settings.modes[facts.masks[0]] = "filled";
    await this.color();
  }

  private async jump(label: number): Promise<void> {
    const mask = this.shown?.facts.masks[0];
    if (mask === undefined) return;
    await this.select({ mask, label });
    if (this.shown?.settings.selected?.label === label) this.showSelected();
  }

  private showSelected(): void {
    const place = this.object?.place;
    if (place === undefined || place === null) return;
    const { picture } = this.host;
    picture.go({ x: place[0], y: place[1], zoom: Math.max(picture.scale(false), CLOSE_UP) });
  }

  private setRange(range: [number, number] | null): void {
    const { measured } = this;
    if (measured === null) return;
    measured.range = range ?? usualRange(measured.values);
    this.change((settings) => (settings.range = range));
  }

  private async fetchLabels({ number, facts }: Shown): Promise<void> {
    const { labels } = this;
    for (const mask of facts.masks) if (!labels.has(mask)) labels.set(mask, await api.tableLabels(number, mask));
  }

  private change(part: (settings: Shown["settings"]) => unknown): void {
    if (this.shown === null) return;
    part(this.shown.settings);
    this.draw();
  }

  /** Bring styles, controls and the legend up to date. */
  private draw(): void {
    const { shown, measured, styles } = this;
    if (shown === null) return;
    styles.clear();
    for (const mask of shown.facts.masks) {
      const style = this.style(mask, shown);
      if (style !== null) styles.set(mask, style);
    }
    this.controls.show(shown.settings);
    this.controls.legend(measured?.name ?? null, measured?.range ?? [0, 1]);
    this.controls.classes(measured !== null && measured.classes !== null ? counted(shown.facts, measured.values) : []);
    const numbers = measured !== null && measured.classes === null ? measured.values : null;
    const { threshold } = shown.settings;
    this.controls.share(threshold, numbers === null ? null : reaching(numbers, threshold ?? Number.NEGATIVE_INFINITY));
    this.panel.mark(measured?.name ?? null);
    this.host.redraw();
  }

  /** The threshold, where numbers and no classes are shown. */
  private threshold({ threshold }: Shown["settings"]): number | null {
    return this.measured?.classes === null ? threshold : null;
  }

  private style(mask: Mask, { facts, settings }: Shown): MaskStyle | null {
    const { modes, opacity, selected } = settings;
    if (modes[mask] === "off") return null;
    const filled = modes[mask] === "filled";
    const labels = filled || mask === facts.masks[0] ? this.labels.get(mask) : undefined;
    const { measured } = this;
    return {
      filled,
      outline: measured === null ? OUTLINES[mask] : BESIDE_COLORS,
      fills: labelPixels(opacity),
      measured: measured === null || labels === undefined ? null : measuredColors(labels, measured, opacity, this.threshold(settings)),
      selected: selected?.mask === mask ? selected.label : 0,
      touched: lookup(this.touched.get(mask) ?? []),
      excluded: lookup(this.host.excluded.labels(mask)),
    };
  }
}

/** A place for each label, 1 for those that are meant; null for none at all. */
function lookup(labels: number[]): Uint8Array | null {
  if (labels.length === 0) return null;
  const found = new Uint8Array(labels.reduce((most, label) => Math.max(most, label), 0) + 1);
  for (const label of labels) found[label] = 1;
  return found;
}

/** The classes, each with the number of its cells. */
function counted({ classes }: ImageFacts, places: Float32Array): { name: string; color: string; count: number }[] {
  const counts = classes.map(() => 0);
  for (const place of places) if (Number.isFinite(place)) counts[place] += 1;
  return classes.map((one, place) => ({ ...one, count: counts[place] }));
}
