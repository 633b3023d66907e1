/** Raw tiles: each is fetched once for all who want it, and kept until others need the room. */

import { tileBytes } from "./api";

const CAPACITY = 256 * 2 ** 20;

interface Coming {
  bytes: Promise<ArrayBuffer>;
  abort: AbortController;
  wanted: number;
}

export class TileStore {
  private readonly kept = new Map<string, ArrayBuffer>();
  private readonly coming = new Map<string, Coming>();
  private size = 0;

  /** Called when a tile that was sent unfinished should be asked for again. */
  constructor(private readonly onIncomplete: () => void) {}

  /** A tile that is here already. */
  peek(path: string): ArrayBuffer | undefined {
    const bytes = this.kept.get(path);
    if (bytes !== undefined) {
      this.kept.delete(path); // the last used are at the end
      this.kept.set(path, bytes);
    }
    return bytes;
  }

  /** A tile; the request is given up when all who want it have given up. */
  async load(path: string, signal?: AbortSignal): Promise<ArrayBuffer> {
    const bytes = this.peek(path);
    if (bytes !== undefined) return bytes;
    let coming = this.coming.get(path);
    if (coming === undefined) {
      const abort = new AbortController();
      coming = { bytes: this.fetch(path, abort), abort, wanted: 0 };
      this.coming.set(path, coming);
    }
    coming.wanted += 1;
    const shared = coming;
    signal?.addEventListener("abort", () => {
      shared.wanted -= 1;
      if (shared.wanted === 0) shared.abort.abort();
    });
    return shared.bytes;
  }

  clear(): void {
    this.kept.clear();
    this.size = 0;
  }

  private async fetch(path: string, abort: AbortController): Promise<ArrayBuffer> {
    try {
      const { bytes, complete } = await tileBytes(path, abort.signal);
      if (complete) this.keep(path, bytes);
      else this.onIncomplete();
      return bytes;
    } finally {
      if (this.coming.get(path)?.abort === abort) this.coming.delete(path);
    }
  }

  private keep(path: string, bytes: ArrayBuffer): void {
    this.kept.set(path, bytes);
    this.size += bytes.byteLength;
    for (const [oldest, old] of this.kept) {
      if (this.size <= CAPACITY) break;
      this.kept.delete(oldest);
      this.size -= old.byteLength;
    }
  }
}
