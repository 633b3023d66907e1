/** Colours: of channels, of labels, and of measurements from low to high. */

export type Rgb = [red: number, green: number, blue: number];

/** For channels whose file gives no colour. */
const CHANNELS = ["#4c8dff", "#38d97a", "#ff5a5a", "#ffd23f", "#3fd5e8", "#ee7bf4", "#ff9f45", "#f4f4f5"];

/** The viridis map at nine even steps (Smith and van der Walt, 2015; public domain): readable without red and green. */
const VIRIDIS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"];

/** Of a label, in turn: neighbours rarely share one. */
const LABELS = ["#7cb5ff", "#ffb86b", "#7ee0a6", "#ff8fa3", "#c7a6ff", "#ffe07a", "#74e3e0", "#f3a6e4"];

export function rgb(hex: string): Rgb {
  const bits = Number.parseInt(hex.slice(1), 16);
  return [(bits >> 16) & 255, (bits >> 8) & 255, bits & 255];
}

/** A pixel of an ImageData's buffer; all machines that browsers run on are little-endian. */
export function pixel([red, green, blue]: Rgb, alpha: number): number {
  return ((Math.round(alpha * 255) << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

export function defaultColor(channel: number): string {
  return CHANNELS[channel % CHANNELS.length];
}

export function labelPixels(alpha: number): Uint32Array {
  return Uint32Array.from(LABELS, (hex) => pixel(rgb(hex), alpha));
}

/** The map's colour at a share from 0 to 1. */
export function mapped(share: number): Rgb {
  const place = Math.min(Math.max(share, 0), 1) * (VIRIDIS.length - 1);
  const index = Math.min(Math.floor(place), VIRIDIS.length - 2);
  const low = rgb(VIRIDIS[index]);
  const high = rgb(VIRIDIS[index + 1]);
  return low.map((value, at) => Math.round(value + (high[at] - value) * (place - index))) as Rgb;
}

export const mapGradient = `linear-gradient(to right, ${VIRIDIS.join(", ")})`;
