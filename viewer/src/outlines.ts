/** Labels drawn as outlines or filled. */

/** How the objects of one mask are drawn; colours are RGBA pixels. */
export interface MaskStyle {
  filled: boolean;
  outline: number;
  /** Fills of labels in turn, where no measurement colours them. */
  fills: Uint32Array;
  /** For each label a fill and an outline, where a measurement colours them; 0 where nothing is known. */
  measured: { fills: Uint32Array; outlines: Uint32Array } | null;
  /** The label that stands out, or 0. */
  selected: number;
  /** For each label 1 where it is excluded; null where none is. */
  excluded: Uint8Array | null;
  /** For each label 1 where a setting that is tuned changed it; null where none is. */
  touched: Uint8Array | null;
}

/** A part of a tile of labels that has one more label on every side. */
export interface LabelWindow {
  labels: Uint32Array;
  /** Labels a row, the margins included. */
  stride: number;
  /** First row and column, without the margin. */
  top: number;
  left: number;
}

const EXCLUDED_OUTLINE = 0xff4d4de5;
const EXCLUDED_FILL = 0x664d4de5;
const TOUCHED_OUTLINE = 0xffffd035;
const TOUCHED_FILL = 0x8cffd035;
const SELECTED_OUTLINE = 0xffd84fff;
const SELECTED_FILL = 0x59ffffff;

/**
 * Draw one mask over what is in `out`.
 *
 * Every label takes `scale` by `scale` pixels, and outlines are one pixel wide whatever the scale: hairlines when
 * looked at closely. That of the selected label is a label wide.
 */
export function paintMask(
  out: Uint32Array,
  width: number,
  height: number,
  scale: number,
  window: LabelWindow,
  style: MaskStyle,
): void {
  const { labels, stride } = window;
  const last = scale - 1;
  for (let y = 0; y < height; y++) {
    const row = (window.top + 1 + Math.floor(y / scale)) * stride + window.left + 1;
    const inY = y % scale;
    for (let x = 0; x < width; x++) {
      const at = scale === 1 ? row + x : row + Math.floor(x / scale);
      const label = labels[at];
      if (label === 0) continue;
      const inX = scale === 1 ? 0 : x % scale;
      const thick = label === style.selected;
      const edge =
        ((thick || inX === 0) && labels[at - 1] !== label) ||
        ((thick || inX === last) && labels[at + 1] !== label) ||
        ((thick || inY === 0) && labels[at - stride] !== label) ||
        ((thick || inY === last) && labels[at + stride] !== label);
      const color = edge ? outlineOf(label, style) : fillOf(label, style);
      if (color !== 0) out[y * width + x] = color;
    }
  }
}

function outlineOf(label: number, style: MaskStyle): number {
  if (label === style.selected) return SELECTED_OUTLINE;
  if (style.excluded !== null && style.excluded[label] === 1) return EXCLUDED_OUTLINE;
  if (style.touched !== null && style.touched[label] === 1) return TOUCHED_OUTLINE;
  if (style.measured !== null) return style.measured.outlines[label] ?? 0;
  return style.filled ? style.fills[label % style.fills.length] | 0xff000000 : style.outline;
}

function fillOf(label: number, style: MaskStyle): number {
  if (label === style.selected && !style.filled) return SELECTED_FILL;
  if (style.excluded !== null && style.excluded[label] === 1) return EXCLUDED_FILL;
  if (style.touched !== null && style.touched[label] === 1) return TOUCHED_FILL; // or it could not be seen from afar
  if (!style.filled) return 0;
  if (style.measured !== null) return style.measured.fills[label] ?? 0;
  return style.fills[label % style.fills.length];
}
