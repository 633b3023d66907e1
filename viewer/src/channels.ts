/** The list of channels: shown or not, colour, contrast. */

import type { ChannelFacts, ImageFacts } from "./api";
import { byId, make, shortNumber } from "./dom";
import type { ChannelSetting } from "./settings";

export interface ChannelEvents {
  changed(channel: number, setting: Partial<ChannelSetting>): void;
}

/** Channels that are listed without a filter, and have a key of their own. */
const FEW = 9;

interface Row {
  item: HTMLLIElement;
  box: HTMLInputElement;
  color: HTMLInputElement;
  contrast: Contrast | null;
}

export class ChannelList {
  private rows: Row[] = [];

  private readonly filter = byId<HTMLInputElement>("channel-filter");

  constructor(private readonly events: ChannelEvents) {
    this.filter.addEventListener("input", () => this.filtered());
  }

  open(facts: ImageFacts): void {
    this.rows = facts.channels.map(({ name }, channel) => this.row(name, channel));
    byId("channels").replaceChildren(...this.rows.map((row) => row.item));
    const many = facts.channels.length > FEW;
    byId("channels").classList.toggle("many", many);
    this.filter.hidden = !many;
    this.filter.value = "";
    this.filtered();
  }

  show(channel: number, setting: ChannelSetting, facts: ChannelFacts | undefined): void {
    const row = this.rows[channel];
    row.item.classList.toggle("shown", setting.shown);
    row.box.checked = setting.shown;
    row.color.value = setting.color;
    if (row.contrast === null && facts !== undefined) {
      row.contrast = new Contrast(row.box.name, facts, (range) => this.events.changed(channel, range));
      row.item.append(row.contrast.element);
    }
    if (row.contrast === null) return;
    row.contrast.element.hidden = !setting.shown;
    row.contrast.show(setting);
  }

  private filtered(): void {
    const words = this.filter.value.toLowerCase().split(/\s+/);
    for (const { item, box } of this.rows) item.hidden = !words.every((word) => box.name.toLowerCase().includes(word));
    byId("channels-none").hidden = this.rows.some(({ item }) => !item.hidden);
  }

  private row(name: string, channel: number): Row {
    const box = make("input", { type: "checkbox", name });
    box.addEventListener("change", () => this.events.changed(channel, { shown: box.checked }));
    const color = make("input", { type: "color", ariaLabel: `Colour of ${name}` });
    color.addEventListener("input", () => this.events.changed(channel, { color: color.value }));
    const label = make("label", { title: name }, box, make("span", { className: "name", textContent: name }), color);
    return { item: make("li", { className: "channel" }, label), box, color, contrast: null };
  }
}

/** Two sliders over a histogram. */
class Contrast {
  readonly element = make("div", { className: "contrast" });
  private readonly chart = make("canvas", { width: 256, height: 30 });
  private readonly sliders: [HTMLInputElement, HTMLInputElement];
  private readonly low = make("span");
  private readonly high = make("span");

  constructor(
    name: string,
    private readonly facts: ChannelFacts,
    changed: (range: { dark: number; bright: number }) => void,
  ) {
    const slider = (end: string) =>
      make("input", { type: "range", min: "0", max: String(facts.top), step: "1", ariaLabel: `${name}: ${end}` });
    this.sliders = [slider("black up to"), slider("full colour from")];
    this.sliders.forEach((one, index) =>
      one.addEventListener("input", () => {
        let [dark, bright] = this.sliders.map((each) => Number(each.value));
        if (index === 0) dark = Math.min(dark, bright - 1);
        else bright = Math.max(bright, dark + 1);
        changed({ dark, bright });
      }),
    );
    const auto = make("button", { type: "button", textContent: "auto", title: "Contrast as it was at first" });
    auto.addEventListener("click", () => changed({ dark: facts.dark, bright: facts.bright }));
    const numbers = make("div", { className: "numbers" }, this.low, auto, this.high);
    this.element.append(this.chart, make("div", { className: "pair" }, ...this.sliders), numbers);
  }

  show({ color, dark, bright }: ChannelSetting): void {
    const range = [dark ?? this.facts.dark, bright ?? this.facts.bright];
    range.forEach((step, end) => {
      this.sliders[end].value = String(step);
      [this.low, this.high][end].textContent = shortNumber(step * this.facts.step + this.facts.offset);
    });
    this.draw(color, range[0], range[1]);
  }

  /** Draw the histogram in the channel's colour, on a scale of logarithms; dim outside of the range. */
  private draw(color: string, dark: number, bright: number): void {
    const context = this.chart.getContext("2d");
    if (context === null) return;
    const { width, height } = this.chart;
    const { histogram, top } = this.facts;
    const highest = Math.log1p(Math.max(...histogram));
    context.clearRect(0, 0, width, height);
    context.fillStyle = color;
    histogram.forEach((count, bin) => {
      const middle = ((bin + 0.5) * top) / histogram.length;
      context.globalAlpha = middle >= dark && middle <= bright ? 0.8 : 0.25;
      const tall = (Math.log1p(count) / highest) * height;
      context.fillRect((bin * width) / histogram.length, height - tall, width / histogram.length - 1, tall);
    });
  }
}
