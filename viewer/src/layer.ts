/** A layer of the picture: fetches raw tiles, draws them, and draws them again in place when settings change. */

import OpenSeadragon from "openseadragon";
import type { Place } from "./api";
import type { TileStore } from "./store";

export type RawTiles = Map<string, ArrayBuffer>;

export interface Painter {
  /** The raw tiles that a tile is drawn from; levels below 0 are finer than the image. */
  paths(at: Place): string[];
  /** Fill RGBA pixels, which are transparent at first, from those raw tiles that are there. */
  paint(out: Uint32Array, width: number, height: number, at: Place, raw: RawTiles): void;
}

interface Drawn {
  at: Place;
  context: CanvasRenderingContext2D;
  /** State of the settings that it shows, and that it is fetching for. */
  version: number;
  coming: number;
}

export interface Size {
  width: number;
  height: number;
  tile: number;
  /** Levels from full resolution to a single tile. */
  levels: number;
  /** Further levels, each twice as fine as the one before. */
  extra: number;
}

export class Layer {
  readonly source: OpenSeadragon.TileSource;
  private readonly drawn = new WeakMap<object, Drawn>();
  private version = 0;

  constructor(
    private readonly name: string,
    private readonly size: Size,
    private readonly painter: Painter,
    private readonly store: TileStore,
    private readonly redraw: () => void,
    private readonly failed: (error: unknown) => void,
  ) {
    this.source = this.makeSource();
  }

  /** Have all tiles drawn again with new settings, those on screen at once and others when they come into sight. */
  changed(): void {
    this.version += 1;
    this.redraw();
  }

  /** To be called when a tile is about to be shown. */
  beforeDrawing(context: object): void {
    const tile = this.drawn.get(context);
    if (tile === undefined || tile.version === this.version) return;
    const raw: RawTiles = new Map();
    const paths = this.painter.paths(tile.at);
    for (const path of paths) {
      const bytes = this.store.peek(path);
      if (bytes !== undefined) raw.set(path, bytes);
    }
    if (raw.size === paths.length) this.paint(tile, raw, this.version);
    else if (tile.coming !== this.version) void this.fetch(tile);
  }

  private async fetch(tile: Drawn): Promise<void> {
    const version = this.version;
    tile.coming = version;
    try {
      const raw = await this.load(tile.at);
      if (version === this.version) this.paint(tile, raw, version);
      this.redraw();
    } catch (error) {
      this.failed(error); // and tried again when settings change
    }
  }

  private async load(at: Place, signal?: AbortSignal): Promise<RawTiles> {
    const load = async (path: string) => [path, await this.store.load(path, signal)] as const;
    return new Map(await Promise.all(this.painter.paths(at).map(load)));
  }

  /** Draw a tile; `version` is what the settings were when `raw` was asked for. */
  private paint(tile: Drawn, raw: RawTiles, version: number): void {
    const { width, height } = tile.context.canvas;
    if (width === 0 || height === 0) return; // given up by OpenSeadragon meanwhile
    const image = tile.context.createImageData(width, height);
    this.painter.paint(new Uint32Array(image.data.buffer), width, height, tile.at, raw);
    tile.context.putImageData(image, 0, 0);
    tile.version = version;
  }

  private async start(job: OpenSeadragon.ImageJob): Promise<void> {
    const abort = new AbortController();
    job.userData.abort = abort;
    const tile = this.blank(this.place(job.tile.level, job.tile.x, job.tile.y));
    const version = this.version;
    try {
      const raw = await this.load(tile.at, abort.signal);
      if (abort.signal.aborted) return;
      this.paint(tile, raw, version);
      this.drawn.set(tile.context, tile);
      job.finish(tile.context, null, "context2d");
    } catch (error) {
      if (abort.signal.aborted) return;
      this.failed(error);
      job.fail(String(error), null);
    }
  }

  private place(level: number, column: number, row: number): Place {
    return { level: this.size.levels - 1 - level, row, column };
  }

  private blank(at: Place): Drawn {
    const side = (whole: number, index: number) => {
      const here = at.level >= 0 ? Math.ceil(whole / 2 ** at.level) : whole * 2 ** -at.level;
      return Math.min(this.size.tile, here - index * this.size.tile);
    };
    const canvas = document.createElement("canvas");
    canvas.width = side(this.size.width, at.column);
    canvas.height = side(this.size.height, at.row);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (context === null) throw new Error("this browser gives no canvas");
    return { at, context, version: -1, coming: -1 };
  }

  private makeSource(): OpenSeadragon.TileSource {
    const { width, height, tile, levels, extra } = this.size;
    const source = new OpenSeadragon.TileSource({
      width: width * 2 ** extra,
      height: height * 2 ** extra,
      tileSize: tile,
      tileOverlap: 0,
      minLevel: 0,
      maxLevel: levels - 1 + extra,
      ready: true,
    } as OpenSeadragon.TileSourceOptions);
    source.getTileUrl = (level, column, row) => `${this.name}/${level}/${row}/${column}`;
    source.hasTransparency = () => extra > 0;
    source.downloadTileStart = (job) => void this.start(job);
    source.downloadTileAbort = (job) => (job.userData.abort as AbortController | undefined)?.abort();
    return source;
  }
}
