/** Holds the state of the page and brings its parts together. */

import * as api from "./api";
import type { ChannelFacts, DatasetFacts, ImageFacts, Mask, ObjectFacts } from "./api";
import { CellControls } from "./cells";
import { ChannelList } from "./channels";
import { defaultColor, labelPixels, pixel, rgb } from "./colors";
import { type ChannelTable, channelTable } from "./composite";
import { byId, make, settled } from "./dom";
import type { Layer } from "./layer";
import { type Link, readLink, writeLink } from "./link";
import { type Measured, measuredColors, usualRange } from "./measured";
import { hideNotice, notice } from "./notice";
import type { MaskStyle } from "./outlines";
import { channelPainter, maskPainter } from "./painters";
import { Picture } from "./picture";
import { showScale } from "./scale";
import { SelectionPanel } from "./selection";
import { MODES, type ChannelSetting, type Mode, type Selected, type Settings, type Spot } from "./settings";
import { TileStore } from "./store";

const OUTLINES: Record<Mask, number> = { cells: pixel(rgb("#ffffff"), 0.9), nuclei: pixel(rgb("#ffe14d"), 0.9) };
const BESIDE_COLORS = pixel(rgb("#ffffff"), 0.45);
const AGAIN_MS = 600;
const CLOSE_UP = 3;

export class App {
  readonly picture: Picture;
  private readonly channelList = new ChannelList({ changed: (channel, part) => void this.setChannel(channel, part) });
  private readonly cells: CellControls;
  private readonly selection: SelectionPanel;
  private readonly store = new TileStore(() => this.askAgain());
  private readonly images = byId<HTMLSelectElement>("images");
  private readonly remember = settled(() => history.replaceState(null, "", this.link()), 200);
  private layers: [Layer, Layer] | null = null;
  private again = 0;

  /** The image that is shown, or being opened. */
  private number = -1;
  private facts: ImageFacts | null = null;
  private settings: Settings = {
    channels: [],
    modes: { cells: "outlines", nuclei: "outlines" },
    opacity: 0.55,
    measurement: null,
    range: null,
    selected: null,
  };
  private brightness: (ChannelFacts | undefined)[] = [];
  private tables = new Map<number, ChannelTable>();
  private styles = new Map<Mask, MaskStyle>();
  private labels = new Map<Mask, Uint32Array>();
  private measured: Measured | null = null;
  private object: ObjectFacts | null = null;

  constructor(private readonly dataset: DatasetFacts) {
    this.picture = new Picture(byId("picture"), this.store, {
      moved: () => this.moved(),
      picked: (x, y) => void this.attempt(() => this.pick(x, y)),
      loaded: (all) => this.loaded(all),
      failed: (error) => this.tell(error),
    });
    this.cells = new CellControls({
      mode: (mask, mode) => this.setMode(mask, mode),
      opacity: (opacity) => this.setOpacity(opacity),
      measurement: (name) => void this.attempt(() => this.setMeasurement(name)),
      range: (range) => this.setRange(range),
      jump: (label) => void this.attempt(() => this.jump(label)),
    });
    this.selection = new SelectionPanel(
      {
        show: () => this.showSelected(),
        close: () => this.deselect(),
        measurement: (name) =>
          void this.attempt(() => this.setMeasurement(name === this.settings.measurement ? null : name)),
      },
      (name) => this.facts?.measurements.includes(name) ?? false,
    );
    this.images.replaceChildren(...dataset.images.map(({ name }, index) => new Option(name, String(index))));
    this.images.addEventListener("change", () => void this.open(Number(this.images.value)));
  }

  /** Open what the address says, or the first image. */
  async follow(hash: string): Promise<void> {
    const link = readLink(hash);
    const named = this.dataset.images.findIndex(({ name }) => name === link.image);
    if (link.image !== undefined && named < 0) notice(`There is no image ${link.image} in this dataset`, true);
    const usable = this.dataset.images.findIndex(({ problem }) => problem === null);
    await this.open(named >= 0 ? named : Math.max(usable, 0), link);
  }

  async open(number: number, link: Link = {}): Promise<void> {
    this.number = number;
    this.images.value = String(number);
    byId<HTMLButtonElement>("previous").disabled = number === 0;
    byId<HTMLButtonElement>("next").disabled = number === this.dataset.images.length - 1;
    this.loaded(false);
    hideNotice();
    await this.attempt(async () => {
      const facts = await api.imageFacts(number);
      if (this.number !== number) return; // another one was chosen meanwhile
      await this.show(number, facts, link);
    });
  }

  step(by: number): void {
    const number = this.number + by;
    if (number >= 0 && number < this.dataset.images.length) void this.open(number);
  }

  toggleChannel(channel: number): void {
    const setting = this.settings.channels[channel];
    if (setting !== undefined) void this.setChannel(channel, { shown: !setting.shown });
  }

  cycleMode(mask: Mask): void {
    if (!this.facts?.masks.includes(mask)) return;
    this.setMode(mask, MODES[(MODES.indexOf(this.settings.modes[mask]) + 1) % MODES.length]);
  }

  deselect(): void {
    this.settings.selected = null;
    this.object = null;
    this.selection.hide();
    this.drawMasks();
  }

  focusJump(): void {
    this.cells.focusJump();
  }

  link(): string {
    const image = this.dataset.images[this.number];
    return writeLink(image.name, this.picture.spot(), this.settings);
  }

  private async show(number: number, facts: ImageFacts, link: Link): Promise<void> {
    const before = this.facts;
    this.facts = facts;
    this.layers = null;
    this.store.clear();
    this.tables = new Map();
    this.styles = new Map();
    this.labels = new Map();
    this.brightness = [];
    this.measured = null;
    this.object = null;
    this.settings = this.initialSettings(before, facts, link);
    this.showFacts(facts);
    this.channelList.open(facts);
    this.cells.open(facts);
    this.selection.hide();
    await Promise.all(this.settings.channels.map((_, channel) => this.showChannel(channel)));
    if (this.number !== number) return;
    this.drawMasks();
    this.layers = this.picture.open(
      facts.name,
      facts,
      this.dataset.tile,
      channelPainter(number, this.tables),
      maskPainter(number, facts, this.dataset.tile, this.styles),
      link.spot,
    );
    await this.attempt(() => this.setMeasurement(this.settings.measurement, link.range ?? null));
    const { selected } = link;
    if (selected !== undefined) await this.attempt(() => this.select(selected));
  }

  /** What the link says; else what held for the image before, where it has the same channels; else what suits most. */
  private initialSettings(before: ImageFacts | null, facts: ImageFacts, link: Link): Settings {
    const names = (image: ImageFacts) => image.channels.map(({ name }) => name).join("\n");
    const same = before !== null && names(before) === names(facts);
    const channels = facts.channels.map(({ color, shown }, channel): ChannelSetting => {
      if (link.channels !== undefined) {
        const linked = link.channels.get(channel);
        if (linked !== undefined) return linked;
      } else if (same) {
        const kept = this.settings.channels[channel];
        return { ...kept, dark: null, bright: null };
      }
      const usual = color ?? defaultColor(channel);
      return { shown: shown && link.channels === undefined, color: usual, dark: null, bright: null };
    });
    const measurement = link.measurement ?? this.settings.measurement;
    return {
      channels,
      modes: {
        cells: link.modes?.cells ?? this.settings.modes.cells,
        nuclei: link.modes?.nuclei ?? this.settings.modes.nuclei,
      },
      opacity: link.opacity ?? this.settings.opacity,
      measurement: measurement !== null && facts.measurements.includes(measurement) ? measurement : null,
      range: null,
      selected: null,
    };
  }

  private showFacts(facts: ImageFacts): void {
    const size = `${facts.width.toLocaleString("en")} × ${facts.height.toLocaleString("en")} px`;
    const pixels = facts.micrometres === null ? "" : ` · ${Number(facts.micrometres[0].toPrecision(4))} µm/px`;
    const objects = facts.objects === 0 ? "" : ` · ${facts.objects.toLocaleString("en")} cells`;
    byId("facts").textContent = size + pixels + objects;
    byId("problems").hidden = facts.problems.length === 0;
    byId("problems").replaceChildren(...facts.problems.map((problem) => make("li", { textContent: problem })));
    document.title = `${facts.name} · cellscale`;
  }

  private async setChannel(channel: number, part: Partial<ChannelSetting>): Promise<void> {
    Object.assign(this.settings.channels[channel], part);
    await this.attempt(() => this.showChannel(channel));
    this.layers?.[0].changed();
    this.remember();
  }

  /** Bring the list and the table of a channel up to date; its brightness is asked for when it is first shown. */
  private async showChannel(channel: number): Promise<void> {
    const { number, tables } = this;
    const setting = this.settings.channels[channel];
    if (setting.shown && this.brightness[channel] === undefined) {
      this.channelList.show(channel, setting, undefined);
      const facts = await api.channelFacts(number, channel);
      if (this.tables !== tables) return; // another image is shown by now
      this.brightness[channel] = facts;
      setting.dark ??= facts.dark;
      setting.bright ??= facts.bright;
    }
    this.channelList.show(channel, setting, this.brightness[channel]);
    if (!setting.shown) tables.delete(channel);
    else tables.set(channel, channelTable(rgb(setting.color), setting.dark ?? 0, setting.bright ?? 1));
  }

  private setMode(mask: Mask, mode: Mode): void {
    this.settings.modes[mask] = mode;
    this.drawMasks();
  }

  private setOpacity(opacity: number): void {
    this.settings.opacity = opacity;
    this.drawMasks();
  }

  private async setMeasurement(name: string | null, range: [number, number] | null = null): Promise<void> {
    const { number, facts } = this;
    if (facts === null) return;
    this.settings.measurement = name;
    this.settings.range = range;
    if (name === null) {
      this.measured = null;
    } else {
      const values = await api.measurementValues(number, facts.measurements.indexOf(name));
      for (const mask of facts.masks)
        if (!this.labels.has(mask)) this.labels.set(mask, await api.tableLabels(number, mask));
      if (this.number !== number || this.settings.measurement !== name) return;
      this.measured = { name, values, range: range ?? usualRange(values) };
      const mask = facts.masks[0];
      if (facts.masks.every((one) => this.settings.modes[one] !== "filled")) this.settings.modes[mask] = "filled";
    }
    this.drawMasks();
  }

  private setRange(range: [number, number] | null): void {
    if (this.measured === null) return;
    this.settings.range = range;
    this.measured.range = range ?? usualRange(this.measured.values);
    this.drawMasks();
  }

  /** Bring the drawing of masks, their controls and the legend up to date. */
  private drawMasks(): void {
    const { facts, settings, measured, styles } = this;
    if (facts === null) return;
    styles.clear();
    for (const mask of facts.masks) {
      const mode = settings.modes[mask];
      if (mode === "off") continue;
      const colored = mask === facts.masks[0] || mode === "filled";
      const labels = colored ? this.labels.get(mask) : undefined;
      styles.set(mask, {
        filled: mode === "filled",
        outline: measured === null ? OUTLINES[mask] : BESIDE_COLORS,
        fills: labelPixels(settings.opacity),
        measured: measured === null || labels === undefined ? null : measuredColors(labels, measured, settings.opacity),
        selected: settings.selected?.mask === mask ? settings.selected.label : 0,
      });
    }
    this.cells.show(settings);
    this.cells.legend(measured?.name ?? null, measured?.range ?? [0, 1]);
    this.selection.mark(measured?.name ?? null);
    this.layers?.[1].changed();
    this.remember();
  }

  private async pick(x: number, y: number): Promise<void> {
    const { facts, number } = this;
    if (facts === null) return;
    const { tile } = this.dataset;
    const at = { level: 0, row: Math.floor(y / tile), column: Math.floor(x / tile) };
    const stride = Math.min(tile, facts.width - at.column * tile) + 2;
    for (const mask of facts.masks) {
      const labels = new Uint32Array(await this.store.load(api.maskTile(number, mask, at)));
      const label = labels[((y % tile) + 1) * stride + (x % tile) + 1];
      if (this.number !== number) return;
      if (label > 0) {
        await this.select({ mask, label });
        return;
      }
    }
    this.deselect();
  }

  private async jump(label: number): Promise<void> {
    const mask = this.facts?.masks[0];
    if (mask === undefined) return;
    await this.select({ mask, label });
    if (this.settings.selected?.label === label) this.showSelected();
  }

  private async select(selected: Selected): Promise<void> {
    const { number } = this;
    const object = await api.objectFacts(number, selected.mask, selected.label);
    if (this.number !== number) return;
    if (object === null) {
      notice(`This image has no ${selected.mask === "cells" ? "cell" : "nucleus"} ${selected.label}`, true);
      return;
    }
    hideNotice();
    this.object = object;
    this.settings.selected = selected;
    this.selection.show(selected, object);
    this.drawMasks();
  }

  private showSelected(): void {
    const place = this.object?.place;
    if (place === undefined || place === null) return;
    const spot: Spot = { x: place[0], y: place[1], zoom: Math.max(this.picture.scale(false), CLOSE_UP) };
    this.picture.go(spot);
  }

  private moved(): void {
    if (this.facts === null || this.layers === null) return;
    showScale(this.picture.scale(true), this.facts.micrometres?.[0] ?? null);
    this.remember();
  }

  private loaded(all: boolean): void {
    document.documentElement.dataset.loaded = String(all);
  }

  /** Ask once more, in a while, for tiles that were sent unfinished. */
  private askAgain(): void {
    if (this.again !== 0) return;
    this.again = window.setTimeout(() => {
      this.again = 0;
      this.layers?.forEach((layer) => layer.changed());
    }, AGAIN_MS);
  }

  /** Tell the user what went wrong. */
  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.tell(error);
    }
  }

  private tell(error: unknown): void {
    this.loaded(true);
    notice(error instanceof Error ? error.message : String(error), true);
  }
}
