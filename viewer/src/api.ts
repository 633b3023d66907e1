/** What the server is asked, and what it answers. */

export type Mask = "cells" | "nuclei";

export interface DatasetFacts {
  tile: number;
  images: { name: string; problem: string | null }[];
}

export interface ImageFacts {
  name: string;
  width: number;
  height: number;
  levels: number;
  micrometres: [number, number] | null;
  channels: { name: string; color: string | null; shown: boolean }[];
  masks: Mask[];
  objects: number;
  measurements: string[];
  /** Classes that a table gave to the cells; the measurement "Class" has their places in this list. */
  classes: { name: string; color: string }[];
  problems: string[];
}

/** How bright a channel is, in the 16-bit steps that tiles are sent in; step * n + offset is the intensity. */
export interface ChannelFacts {
  offset: number;
  step: number;
  dark: number;
  bright: number;
  top: number;
  histogram: number[];
}

export interface ObjectRow {
  id: string;
  kind: string;
  labels: Record<Mask, number | null>;
  values: [name: string, value: string][];
}

export interface ObjectFacts {
  /** x and y in pixels of the image. */
  place: [number, number] | null;
  row: ObjectRow | null;
}

/** A tile by level (0 is full resolution), row and column. */
export interface Place {
  level: number;
  row: number;
  column: number;
}

export class ServerError extends Error {}

async function ask(path: string, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`api/${path}`, { signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ServerError("The viewer does not answer: is cellscale view still running?");
  }
  if (response.ok) return response;
  const told = (await response.json().catch(() => null)) as { error?: string } | null;
  throw new ServerError(told?.error ?? `The viewer answered with status ${response.status}`);
}

async function facts<T>(path: string): Promise<T> {
  return (await (await ask(path)).json()) as T;
}

export const datasetFacts = () => facts<DatasetFacts>("dataset");
export const imageFacts = (image: number) => facts<ImageFacts>(`images/${image}`);
export const channelFacts = (image: number, channel: number) =>
  facts<ChannelFacts>(`images/${image}/channels/${channel}`);
export const objectFacts = (image: number, mask: Mask, label: number) =>
  facts<ObjectFacts | null>(`images/${image}/objects/${mask}/${label}`);

export async function tableLabels(image: number, mask: Mask): Promise<Uint32Array> {
  return new Uint32Array(await (await ask(`images/${image}/labels/${mask}`)).arrayBuffer());
}

export async function measurementValues(image: number, measurement: number): Promise<Float32Array> {
  return new Float32Array(await (await ask(`images/${image}/measurements/${measurement}`)).arrayBuffer());
}

export const channelTile = (image: number, channel: number, at: Place) =>
  `images/${image}/channels/${channel}/${at.level}/${at.row}/${at.column}`;
export const maskTile = (image: number, mask: Mask, at: Place) =>
  `images/${image}/masks/${mask}/${at.level}/${at.row}/${at.column}`;

/** The bytes of a tile, and whether asking again would give the same. */
export async function tileBytes(path: string, signal: AbortSignal): Promise<{ bytes: ArrayBuffer; complete: boolean }> {
  const response = await ask(path, signal);
  return { bytes: await response.arrayBuffer(), complete: !response.headers.has("X-Incomplete") };
}
