/** Channels blended into one picture. */

import type { Rgb } from "./colors";

/** What a 16-bit step adds to a pixel: red, green and blue in ten bits each, so that four sum without overflow. */
export type ChannelTable = Uint32Array;

const SUMS = 4;

export function channelTable(color: Rgb, dark: number, bright: number): ChannelTable {
  const table = new Uint32Array(65536);
  const range = Math.max(bright - dark, 1);
  for (let step = 0; step < table.length; step++) {
    const share = Math.min(Math.max((step - dark) / range, 0), 1);
    const [red, green, blue] = color;
    table[step] = (Math.round(red * share) | (Math.round(green * share) << 10) | (Math.round(blue * share) << 20)) >>> 0;
  }
  return table;
}

/** Fill `out`, opaque RGBA pixels, with the sum of planes of equal size. */
export function paintChannels(out: Uint32Array, planes: { steps: Uint16Array; table: ChannelTable }[]): void {
  out.fill(0);
  let room = SUMS;
  for (const { steps, table } of planes) {
    if (room === 0) {
      saturate(out);
      room = SUMS - 1;
    }
    for (let at = 0; at < out.length; at++) out[at] += table[steps[at]];
    room -= 1;
  }
  for (let at = 0; at < out.length; at++) {
    const sum = out[at];
    const red = sum & 1023;
    const green = (sum >>> 10) & 1023;
    const blue = sum >>> 20;
    out[at] = 0xff000000 | (least(blue) << 16) | (least(green) << 8) | least(red);
  }
}

function saturate(sums: Uint32Array): void {
  for (let at = 0; at < sums.length; at++) {
    const sum = sums[at];
    sums[at] = least(sum & 1023) | (least((sum >>> 10) & 1023) << 10) | (least(sum >>> 20) << 20);
  }
}

function least(value: number): number {
  return value > 255 ? 255 : value;
}
