/** What the two layers of the picture draw: channels, and labels over them. */

import { type ImageFacts, type Mask, type Place, channelTile, maskTile } from "./api";
import { type ChannelTable, paintChannels } from "./composite";
import type { Painter } from "./layer";
import { type MaskStyle, paintMask } from "./outlines";

/** The channels that are shown, by number, and how. */
export function channelPainter(image: number, tables: Map<number, ChannelTable>): Painter {
  const order = () => [...tables.keys()].sort((one, other) => one - other);
  return {
    paths: (at) => order().map((channel) => channelTile(image, channel, at)),
    paint(out, _width, _height, at, raw) {
      const planes = order().flatMap((channel) => {
        const table = tables.get(channel);
        const steps = raw.get(channelTile(image, channel, at));
        return table !== undefined && steps !== undefined ? [{ steps: new Uint16Array(steps), table }] : [];
      });
      paintChannels(out, planes);
    },
  };
}

/** The masks that are shown, nuclei over cells, and how. */
export function maskPainter(image: number, facts: ImageFacts, tile: number, styles: Map<Mask, MaskStyle>): Painter {
  const shown = () => facts.masks.filter((mask) => styles.has(mask));
  return {
    paths: (at) => shown().map((mask) => maskTile(image, facts, mask, labelPlace(at))),
    paint(out, width, height, at, raw) {
      const scale = at.level >= 0 ? 1 : 2 ** -at.level;
      const place = labelPlace(at);
      const across = Math.min(tile, Math.ceil(facts.width / 2 ** place.level) - place.column * tile);
      const window = {
        stride: across + 2,
        top: (at.row * tile) / scale - place.row * tile,
        left: (at.column * tile) / scale - place.column * tile,
      };
      for (const mask of shown()) {
        const style = styles.get(mask);
        const labels = raw.get(maskTile(image, facts, mask, place));
        if (style === undefined || labels === undefined) continue;
        const drawn = { ...style, outline: fainter(style.outline, at.level) };
        paintMask(out, width, height, scale, { ...window, labels: new Uint32Array(labels) }, drawn);
      }
    },
  };
}

/** The tile of labels that holds a tile of the picture, which may be finer than the labels. */
function labelPlace(at: Place): Place {
  if (at.level >= 0) return at;
  return { level: 0, row: at.row >> -at.level, column: at.column >> -at.level };
}

/** From afar, where cells are a few pixels wide, outlines would be all there is to see. */
function fainter(outline: number, level: number): number {
  const alpha = outline >>> 24;
  const share = level <= 0 ? 1 : Math.max(0.65 ** level, 0.25);
  return ((outline & 0xffffff) | (Math.round(alpha * share) << 24)) >>> 0;
}
