/** A measurement as colours of labels. */

import { type Rgb, mapped, pixel } from "./colors";

export interface Measured {
  name: string;
  values: Float32Array;
  /** Values at the two ends of the colours. */
  range: [number, number];
  /** Colours of classes, where the values are their places; null for a measurement. */
  classes: Rgb[] | null;
}

/** How many of the objects that have a value have one of at least a threshold. */
export function reaching(values: Float32Array, threshold: number): { count: number; of: number } {
  let [count, of] = [0, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    of += 1;
    if (value >= threshold) count += 1;
  }
  return { count, of };
}

/** What classes are called among the measurements. */
export const CLASS = "Class";

const SAMPLE = 100_000;
const UNKNOWN: [number, number, number] = [128, 128, 128];

/** Values that all but the outermost two in a hundred lie between. */
export function usualRange(values: Float32Array): [number, number] {
  const step = Math.max(1, Math.floor(values.length / SAMPLE));
  const sample = values.filter((value, index) => index % step === 0 && Number.isFinite(value)).sort();
  if (sample.length === 0) return [0, 1];
  const low = sample[Math.floor((sample.length - 1) * 0.02)];
  const high = sample[Math.ceil((sample.length - 1) * 0.98)];
  return low < high ? [low, high] : [low, low + 1];
}

/** The fill and the outline of each label; grey where an object lacks the measurement or is below the threshold. */
export function measuredColors(
  labels: Uint32Array,
  measured: Measured,
  opacity: number,
  threshold: number | null,
): { fills: Uint32Array; outlines: Uint32Array } {
  const { classes } = measured;
  const [low, high] = classes === null ? measured.range : [0, 1];
  const steps = classes ?? Array.from({ length: 256 }, (_, step) => mapped(step / 255));
  const tables = [opacity, 1].map((alpha) => steps.map((color) => pixel(color, alpha)));
  const unknown = [pixel(UNKNOWN, opacity * 0.5), pixel(UNKNOWN, 0.8)];
  let count = 1;
  for (const label of labels) if (label >= count) count = label + 1;
  const [fills, outlines] = [new Uint32Array(count), new Uint32Array(count)];
  labels.forEach((label, row) => {
    if (label === 0) return;
    const value = measured.values[row];
    const share = threshold !== null && value < threshold ? Number.NaN : (value - low) / (high - low);
    const step = classes === null ? Math.round(Math.min(Math.max(share, 0), 1) * 255) : share;
    fills[label] = Number.isFinite(share) ? tables[0][step] : unknown[0];
    outlines[label] = Number.isFinite(share) ? tables[1][step] : unknown[1];
  });
  return { fills, outlines };
}
