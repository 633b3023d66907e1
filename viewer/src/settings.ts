/** How the image is looked at: all that a link to the exact view tells, but the place. */

import type { Mask } from "./api";

export type Mode = "off" | "outlines" | "filled";

export interface ChannelSetting {
  shown: boolean;
  color: string;
  /** 16-bit steps that are shown black and in full colour; unknown until the channel is first shown. */
  dark: number | null;
  bright: number | null;
}

export interface Selected {
  mask: Mask;
  label: number;
}

export interface Settings {
  channels: ChannelSetting[];
  modes: Record<Mask, Mode>;
  /** Opacity of fills, 0 to 1. */
  opacity: number;
  measurement: string | null;
  /** Values at the ends of the colours; null for those that the cells suggest. */
  range: [number, number] | null;
  /** Value of the measurement from which on cells are coloured; null for all. */
  threshold: number | null;
  selected: Selected | null;
}

/** Where the middle of the screen is, in pixels of the image, and screen pixels a pixel of the image. */
export interface Spot {
  x: number;
  y: number;
  zoom: number;
}

export const MODES: Mode[] = ["off", "outlines", "filled"];
