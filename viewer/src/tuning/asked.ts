/** What the server is asked while settings are tuned, and what it answers. */

import { type Mask, send, facts } from "../api";

export type Crop = [x: number, y: number, width: number, height: number];

export type Values = Record<string, string>;

export interface Control {
  key: string;
  group: string;
  label: string;
  kind: "number" | "length" | "choice" | "channels" | "text";
  low: number;
  high: number;
  step: number;
  /** Whether another value has the network predict again. */
  again: boolean;
  choices: string[];
  help: string;
  value: string;
  /** What holds where nothing is given. */
  usual: string;
}

export interface TuningFacts {
  /** The image's number. */
  image: number;
  controls: Control[];
  channels: string[];
  crop: Crop;
  /** Where settings are kept. */
  settings: string;
}

export interface Numbers {
  count: number;
  mean: number | null;
  median: number | null;
  /** Objects at the start. */
  start: number | null;
  change: { same: number; changed: number; new: number; gone: number } | null;
  /** Labels of objects that are new, or other than before the setting that was touched last. */
  touched: number[];
}

export interface Found {
  version: number;
  /** The version that things began with. */
  start: number;
  crop: Crop;
  masks: Partial<Record<Mask, Numbers>>;
  mpp: number | null;
  seconds: number;
}

export const tuningFacts = () => facts<TuningFacts>("tuning");
export const findCells = (values: Values, crop: Crop) => send<Found>("tuning/cells", { values, crop });
export const keepSettings = (values: Values) => send<{ place: string }>("tuning/settings", { values });
