/** The address's part after #, which tells the exact view. */

import { MODES, type ChannelSetting, type Mode, type Settings, type Spot } from "./settings";

export interface Link {
  image?: string;
  spot?: Spot;
  /** Of the channels that are shown, by number. */
  channels?: Map<number, ChannelSetting>;
  modes?: { cells?: Mode; nuclei?: Mode };
  opacity?: number;
  measurement?: string;
  range?: [number, number];
  threshold?: number;
  selected?: { mask: "cells" | "nuclei"; label: number };
}

export function writeLink(image: string, spot: Spot, settings: Settings): string {
  const words = new URLSearchParams({ image });
  words.set("at", `${spot.x.toFixed(2)},${spot.y.toFixed(2)},${Number(spot.zoom.toPrecision(5))}`);
  const shown = settings.channels.flatMap((channel, number) =>
    channel.shown ? [`${number}.${channel.color.slice(1)}.${channel.dark ?? ""}.${channel.bright ?? ""}`] : [],
  );
  words.set("channels", shown.join(","));
  words.set("cells", settings.modes.cells);
  words.set("nuclei", settings.modes.nuclei);
  words.set("opacity", settings.opacity.toFixed(2));
  if (settings.measurement !== null) words.set("by", settings.measurement);
  if (settings.measurement !== null && settings.range !== null) words.set("range", settings.range.join(","));
  if (settings.measurement !== null && settings.threshold !== null) words.set("from", String(settings.threshold));
  if (settings.selected !== null) words.set("picked", `${settings.selected.mask},${settings.selected.label}`);
  return `#${words}`;
}

/** Read a link; what makes no sense is left out. */
export function readLink(hash: string): Link {
  const words = new URLSearchParams(hash.replace(/^#/, ""));
  const link: Link = {};
  link.image = words.get("image") ?? undefined;
  const [x, y, zoom] = numbers(words.get("at"), 3) ?? [];
  if (zoom > 0) link.spot = { x, y, zoom };
  if (words.has("channels")) link.channels = channels(words.get("channels") ?? "");
  link.modes = { cells: mode(words.get("cells")), nuclei: mode(words.get("nuclei")) };
  const [opacity] = numbers(words.get("opacity"), 1) ?? [];
  if (opacity >= 0 && opacity <= 1) link.opacity = opacity;
  link.measurement = words.get("by") ?? undefined;
  const range = numbers(words.get("range"), 2);
  if (range !== null && range[0] < range[1]) link.range = [range[0], range[1]];
  const [threshold] = numbers(words.get("from"), 1) ?? [];
  if (threshold !== undefined) link.threshold = threshold;
  const picked = /^(cells|nuclei),(\d{1,10})$/.exec(words.get("picked") ?? "");
  if (picked !== null) link.selected = { mask: picked[1] as "cells" | "nuclei", label: Number(picked[2]) };
  return link;
}

function numbers(text: string | null, count: number): number[] | null {
  const found = (text ?? "").split(",").map((word) => (word === "" ? Number.NaN : Number(word)));
  return found.length === count && found.every(Number.isFinite) ? found : null;
}

function mode(text: string | null): Mode | undefined {
  return MODES.find((one) => one === text);
}

function channels(text: string): Map<number, ChannelSetting> {
  const found = new Map<number, ChannelSetting>();
  for (const word of text.split(",")) {
    const parts = /^(\d{1,5})\.([0-9a-f]{6})\.(\d{0,5})\.(\d{0,5})$/.exec(word);
    if (parts === null) continue;
    const [dark, bright] = [parts[3], parts[4]].map((step) => (step === "" ? null : Number(step)));
    found.set(Number(parts[1]), { shown: true, color: `#${parts[2]}`, dark, bright });
  }
  return found;
}
