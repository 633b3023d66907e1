/** The image that is shown, and how. */

import type { ImageFacts } from "./api";
import { defaultColor } from "./colors";
import type { Link } from "./link";
import type { ChannelSetting, Settings } from "./settings";

/** Replaced as a whole when another image is opened: what is still under way for the old one then knows. */
export interface Shown {
  number: number;
  facts: ImageFacts;
  settings: Settings;
}

const AT_FIRST: Settings = {
  channels: [],
  modes: { cells: "outlines", nuclei: "outlines" },
  opacity: 0.55,
  measurement: null,
  range: null,
  threshold: null,
  selected: null,
};

/** What the link says; else what held for the image before, where it has the same channels; else what suits most. */
export function settingsFor(facts: ImageFacts, link: Link, before: Shown | null): Settings {
  const old = before?.settings ?? AT_FIRST;
  const measurement = link.measurement ?? old.measurement;
  const known = measurement !== null && facts.measurements.includes(measurement);
  return {
    channels: facts.channels.map((_, channel) => channelSetting(channel, facts, link, before)),
    modes: { cells: link.modes?.cells ?? old.modes.cells, nuclei: link.modes?.nuclei ?? old.modes.nuclei },
    opacity: link.opacity ?? old.opacity,
    measurement: known ? measurement : null,
    range: known ? (link.range ?? null) : null,
    threshold: known ? (link.threshold ?? null) : null,
    selected: null,
  };
}

function channelSetting(channel: number, facts: ImageFacts, link: Link, before: Shown | null): ChannelSetting {
  const { color, shown } = facts.channels[channel];
  const usual = { color: color ?? defaultColor(channel), dark: null, bright: null };
  if (link.channels !== undefined) return link.channels.get(channel) ?? { ...usual, shown: false };
  if (before !== null && names(before.facts) === names(facts))
    return { ...before.settings.channels[channel], dark: null, bright: null };
  return { ...usual, shown };
}

function names(facts: ImageFacts): string {
  return JSON.stringify(facts.channels.map(({ name }) => name));
}
