/** Holds the state of the page and brings its parts together. */

import * as api from "./api";
import type { ChannelFacts, DatasetFacts, ImageFacts } from "./api";
import { ChannelList } from "./channels";
import { rgb } from "./colors";
import { type ChannelTable, channelTable } from "./composite";
import { byId, make, settled } from "./dom";
import { Excluded } from "./drawn/excluded";
import { Regions } from "./drawn/regions";
import { savePicture } from "./drawn/snapshot";
import type { Layer } from "./layer";
import { type Link, readLink, writeLink } from "./link";
import { hideNotice, notice } from "./notice";
import { Objects } from "./objects";
import { channelPainter, maskPainter } from "./painters";
import { Picture } from "./picture";
import { showScale } from "./scale";
import type { ChannelSetting } from "./settings";
import { type Shown, settingsFor } from "./shown";
import { TileStore } from "./store";
import { Tuning } from "./tuning/tuning";

const AGAIN_MS = 350;

export class App {
  readonly picture: Picture;
  readonly objects: Objects;
  readonly tuning: Tuning | null;
  readonly regions: Regions;
  readonly excluded: Excluded;
  private readonly channelList = new ChannelList({ changed: (channel, part) => void this.setChannel(channel, part) });
  private readonly store = new TileStore(() => this.askAgain());
  private readonly images = byId<HTMLSelectElement>("images");
  private readonly remember = settled(() => this.writeAddress(), 200);
  private layers: [Layer, Layer] | null = null;
  private again = 0;

  /** The image that is shown or being opened. */
  private number = -1;
  private shown: Shown | null = null;
  private brightness: (ChannelFacts | undefined)[] = [];
  private tables = new Map<number, ChannelTable>();

  constructor(private readonly dataset: DatasetFacts) {
    this.picture = new Picture(byId("picture"), this.store, {
      moved: () => this.moved(),
      picked: (x, y) => void this.attempt(() => this.objects.pick(x, y)),
      loaded: (all) => this.loaded(all),
      failed: (error) => this.tell(error),
    });
    const attempt = (work: () => Promise<void>) => this.attempt(work);
    this.regions = new Regions(this.picture, attempt);
    this.excluded = new Excluded(() => this.objects.excludedChanged(), attempt);
    this.objects = new Objects({
      excluded: this.excluded,
      tile: dataset.tile,
      store: this.store,
      picture: this.picture,
      redraw: () => this.redraw(1),
      attempt: (work) => this.attempt(work),
    });
    this.tuning = dataset.tuning
      ? new Tuning({
          picture: this.picture,
          version: (version, touched) => this.showVersion(version, touched),
          attempt: (work) => this.attempt(work),
        })
      : null;
    this.images.replaceChildren(...dataset.images.map(({ name }, index) => new Option(name, String(index))));
    this.images.addEventListener("change", () => void this.open(Number(this.images.value)));
  }

  /** Open what the address says, or the first image. */
  async follow(hash: string): Promise<void> {
    const link = readLink(hash);
    const { images } = this.dataset;
    if (this.tuning !== null && this.tuning.image < 0) await this.tuning.load();
    const named = images.findIndex(({ name }) => name === link.image);
    const usable = this.tuning?.image ?? images.findIndex(({ problem }) => problem === null);
    await this.open(named >= 0 ? named : Math.max(usable, 0), link);
    if (link.image !== undefined && named < 0) notice(`There is no image ${link.image} in this dataset`, true);
  }

  async open(number: number, link: Link = {}): Promise<void> {
    this.number = number;
    this.images.value = String(number);
    byId<HTMLButtonElement>("previous").disabled = number === 0;
    byId<HTMLButtonElement>("next").disabled = number === this.dataset.images.length - 1;
    this.loaded(false);
    hideNotice();
    await this.attempt(async () => {
      const found = await api.imageFacts(number);
      const facts = this.tuning?.image === number ? this.tuning.adopt(found) : found;
      if (this.number !== number) return; // another one was chosen meanwhile
      await this.show({ number, facts, settings: settingsFor(facts, link, this.shown) }, link);
    });
  }

  step(by: number): void {
    const number = this.number + by;
    if (number >= 0 && number < this.dataset.images.length) void this.open(number);
  }

  toggleChannel(channel: number): void {
    const setting = this.shown?.settings.channels[channel];
    if (setting !== undefined) void this.setChannel(channel, { shown: !setting.shown });
  }

  /** Save what is seen as a PNG. */
  savePicture(): void {
    void this.attempt(() => savePicture(this.shown?.facts.name ?? "picture"));
  }

  /** Give up what is being done: drawing, else the selection. */
  escape(): void {
    if (!this.regions.cancel()) this.objects.deselect();
  }

  /** The address's part after #, which tells the exact view. */
  link(): string {
    if (this.shown === null) return location.hash;
    return writeLink(this.shown.facts.name, this.picture.spot(), this.shown.settings);
  }

  private async show(shown: Shown, link: Link): Promise<void> {
    const { number, facts, settings } = shown;
    this.shown = shown;
    this.layers = null;
    this.store.clear();
    this.tables = new Map();
    this.brightness = [];
    this.showFacts(facts);
    this.channelList.open(facts);
    this.objects.open(shown);
    await Promise.all(settings.channels.map((_, channel) => this.showChannel(channel)));
    if (this.shown !== shown) return;
    const channels = channelPainter(number, this.tables);
    const masks = maskPainter(number, facts, this.dataset.tile, this.objects.styles);
    this.layers = this.picture.open(facts, this.dataset.tile, channels, masks, link.spot);
    this.tuning?.open(facts, number, link.spot === undefined);
    await this.attempt(() => this.regions.open(number, facts.name));
    if (facts.version === undefined) await this.attempt(() => this.excluded.open(number));
    await this.attempt(() => this.objects.color());
    const { selected } = link;
    if (selected !== undefined && this.shown === shown) await this.attempt(() => this.objects.select(selected));
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
    if (this.shown === null) return;
    Object.assign(this.shown.settings.channels[channel], part);
    await this.attempt(() => this.showChannel(channel));
    this.redraw(0);
  }

  /** Bring the list and the table of a channel up to date; its brightness is asked for when it is first shown. */
  private async showChannel(channel: number): Promise<void> {
    const { shown, tables } = this;
    if (shown === null) return;
    const setting = shown.settings.channels[channel];
    if (setting.shown && this.brightness[channel] === undefined) {
      this.channelList.show(channel, setting, undefined);
      const facts = await api.channelFacts(shown.number, channel);
      if (this.shown !== shown) return; // another image is shown by now
      this.brightness[channel] = facts;
      setting.dark ??= facts.dark;
      setting.bright ??= facts.bright;
    }
    this.channelList.show(channel, setting, this.brightness[channel]);
    if (!setting.shown) tables.delete(channel);
    else tables.set(channel, channelTable(rgb(setting.color), setting.dark ?? 0, setting.bright ?? 1));
  }

  /** Show another version of the cells that are being tuned. */
  private showVersion(version: number, touched: Map<api.Mask, number[]>): void {
    const { shown } = this;
    if (shown === null || shown.number !== this.tuning?.image) return;
    shown.facts.version = version;
    this.objects.touch(touched);
  }

  private redraw(layer: 0 | 1): void {
    this.layers?.[layer].changed();
    this.remember();
  }

  private moved(): void {
    if (this.shown === null || this.layers === null) return;
    showScale(this.picture.scale(true), this.shown.facts.micrometres?.[0] ?? null);
    this.regions.moved();
    this.remember();
  }

  private writeAddress(): void {
    if (this.layers !== null) history.replaceState(null, "", this.link());
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

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.tell(error);
    }
  }

  /** Tell the user what went wrong. */
  private tell(error: unknown): void {
    this.loaded(true);
    notice(error instanceof Error ? error.message : String(error), true);
  }
}
