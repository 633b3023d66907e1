/** What the server is asked, and what it answers. */

export type Mask = "cells" | "nuclei";

export interface DatasetFacts {
  tile: number;
  /** Whether cells of one of the images can be found with other settings. */
  tuning: boolean;
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
  /** Version of the cells that are shown, where settings are tuned; their masks are no files then. */
  version?: number;
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

async function ask(path: string, signal?: AbortSignal, sent?: unknown): Promise<Response> {
  const posted = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(sent) };
  let response: Response;
  try {
    response = await fetch(`api/${path}`, sent === undefined ? { signal } : { ...posted, signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ServerError("The viewer does not answer: is its command still running?");
  }
  if (response.ok) return response;
  const told = (await response.json().catch(() => null)) as { error?: string } | null;
  throw new ServerError(told?.error ?? `The viewer answered with status ${response.status}`);
}

export async function facts<T>(path: string): Promise<T> {
  return (await (await ask(path)).json()) as T;
}

/** Send something, and return the answer. */
export async function send<T>(path: string, sent: unknown, signal?: AbortSignal): Promise<T> {
  return (await (await ask(path, signal, sent)).json()) as T;
}

export const datasetFacts = () => facts<DatasetFacts>("dataset");
export const imageFacts = (image: number) => facts<ImageFacts>(`images/${image}`);
export const channelFacts = (image: number, channel: number) =>
  facts<ChannelFacts>(`images/${image}/channels/${channel}`);
export const objectFacts = (image: number, { version }: ImageFacts, mask: Mask, label: number) =>
  facts<ObjectFacts | null>(`${place(image, version)}/objects/${mask}/${label}`);

export async function tableLabels(image: number, mask: Mask): Promise<Uint32Array> {
  return new Uint32Array(await (await ask(`images/${image}/labels/${mask}`)).arrayBuffer());
}

export async function measurementValues(image: number, measurement: number): Promise<Float32Array> {
  return new Float32Array(await (await ask(`images/${image}/measurements/${measurement}`)).arrayBuffer());
}

export const channelTile = (image: number, channel: number, at: Place) =>
  `images/${image}/channels/${channel}/${at.level}/${at.row}/${at.column}`;
export const maskTile = (image: number, { version }: ImageFacts, mask: Mask, at: Place) =>
  `${place(image, version)}/masks/${mask}/${at.level}/${at.row}/${at.column}`;

/** Where masks are asked for. */
function place(image: number, version?: number): string {
  return version === undefined ? `images/${image}` : `tuning/${version}`;
}

/** The bytes of a tile, and whether asking again would give the same. */
export async function tileBytes(path: string, signal: AbortSignal): Promise<{ bytes: ArrayBuffer; complete: boolean }> {
  const response = await ask(path, signal);
  return { bytes: await response.arrayBuffer(), complete: !response.headers.has("X-Incomplete") };
}
