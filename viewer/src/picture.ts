/** The picture that is panned and zoomed. */

import OpenSeadragon from "openseadragon";
import type { ImageFacts } from "./api";
import { make } from "./dom";
import { Layer, type Painter } from "./layer";
import type { Spot } from "./settings";
import type { TileStore } from "./store";

/** Finer levels of the layer of labels: outlines are hairlines up to four screen pixels a pixel. */
const FINER = 2;

/** Screen pixels a pixel of the image, at most. */
const CLOSEST = 24;

/** From here on single pixels are shown as squares. */
const SQUARES = 3;

/** A rectangle of the image. */
export type Box = [x: number, y: number, width: number, height: number];

export interface PictureEvents {
  moved(): void;
  picked(x: number, y: number): void;
  loaded(all: boolean): void;
  failed(error: unknown): void;
}

export class Picture {
  readonly viewer: OpenSeadragon.Viewer;
  private layers: Layer[] = [];
  private width = 1;
  private height = 1;
  private opened = 0;
  private readonly marked = make("div", { className: "marked" });

  constructor(
    element: HTMLElement,
    private readonly store: TileStore,
    private readonly events: PictureEvents,
  ) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.viewer = OpenSeadragon({
      element,
      drawer: "canvas",
      showNavigationControl: false,
      animationTime: still ? 0 : 0.5,
      springStiffness: 8,
      visibilityRatio: 0.2,
      minZoomImageRatio: 0.5,
      zoomPerScroll: 1.35,
      imageLoaderLimit: 12,
      maxImageCacheCount: 120,
      gestureSettingsMouse: { clickToZoom: false },
      gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: true },
      gestureSettingsPen: { clickToZoom: false, dblClickToZoom: true },
      subPixelRoundingForTransparency: { "*": OpenSeadragon.SUBPIXEL_ROUNDING_OCCURRENCES.ONLY_AT_REST },
    });
    this.listen();
  }

  /** Show another image: its channels and, over them, its labels. */
  open(facts: ImageFacts, tile: number, channels: Painter, labels: Painter, spot?: Spot): [Layer, Layer] {
    this.opened += 1;
    const redraw = () => this.viewer.forceRedraw();
    const failed = (error: unknown) => this.events.failed(error);
    const size = { width: facts.width, height: facts.height, tile, levels: facts.levels };
    const layers: [Layer, Layer] = [
      new Layer(`${this.opened}/channels`, { ...size, extra: 0 }, channels, this.store, redraw, failed),
      new Layer(`${this.opened}/labels`, { ...size, extra: FINER }, labels, this.store, redraw, failed),
    ];
    this.layers = layers;
    this.width = facts.width;
    this.height = facts.height;
    this.viewer.world.removeAll();
    layers.forEach((layer, index) => {
      const first = index === 0;
      this.viewer.addTiledImage({
        tileSource: layer.source,
        index,
        width: 1,
        success: () => first && this.settle(spot),
      });
    });
    return layers;
  }

  /** Mark a rectangle of the image, or none. */
  frame(crop: Box | null): void {
    this.viewer.removeOverlay(this.marked);
    if (crop !== null) this.viewer.addOverlay({ element: this.marked, location: this.rectangle(crop) });
  }

  /** Show all of a rectangle of the image. */
  fit(crop: Box): void {
    this.viewer.viewport.fitBounds(this.rectangle(crop), true);
  }

  /** Where a point of the image is on screen, from the picture's upper left corner. */
  onScreen([x, y]: [number, number]): [number, number] {
    const at = this.viewer.viewport.pixelFromPoint(new OpenSeadragon.Point(x / this.width, y / this.width), true);
    return [at.x, at.y];
  }

  /** The point of the image that is at a place on screen. */
  inImage([x, y]: [number, number]): [number, number] {
    const at = this.viewer.viewport.pointFromPixel(new OpenSeadragon.Point(x, y), true);
    return [at.x * this.width, at.y * this.width];
  }

  clipped([x, y]: [number, number]): [number, number] {
    return [Math.min(Math.max(x, 0), this.width), Math.min(Math.max(y, 0), this.height)];
  }

  /** Corners of the middle of what is seen, a share of it along each side. */
  inSight(share: number): [number, number][] {
    const { x, y } = this.viewer.viewport.getContainerSize();
    const [left, top] = [(x * (1 - share)) / 2, (y * (1 - share)) / 2];
    const corners: [number, number][] = [[left, top], [x - left, top], [x - left, y - top], [left, y - top]];
    return corners.map((corner) => this.clipped(this.inImage(corner)));
  }

  private rectangle([x, y, width, height]: Box): OpenSeadragon.Rect {
    const whole = this.width;
    return new OpenSeadragon.Rect(x / whole, y / whole, width / whole, height / whole);
  }

  spot(): Spot {
    const middle = this.viewer.viewport.getCenter(false);
    return { x: middle.x * this.width, y: middle.y * this.width, zoom: this.scale(false) };
  }

  /** Screen pixels a pixel of the image, as shown now or as it will be when the movement ends. */
  scale(now: boolean): number {
    return (this.viewer.viewport.getZoom(now) * this.viewer.viewport.getContainerSize().x) / this.width;
  }

  go(spot: Spot, at_once = false): void {
    const { viewport } = this.viewer;
    viewport.zoomTo((spot.zoom * this.width) / viewport.getContainerSize().x, undefined, at_once);
    viewport.panTo(new OpenSeadragon.Point(spot.x / this.width, spot.y / this.width), at_once);
    viewport.applyConstraints(at_once);
  }

  /** Move by shares of the screen. */
  pan(across: number, down: number): void {
    const bounds = this.viewer.viewport.getBounds();
    this.viewer.viewport.panBy(new OpenSeadragon.Point(across * bounds.width, down * bounds.height));
    this.viewer.viewport.applyConstraints();
  }

  zoom(factor: number): void {
    this.viewer.viewport.zoomBy(factor);
    this.viewer.viewport.applyConstraints();
  }

  whole(at_once = false): void {
    this.viewer.viewport.goHome(at_once);
  }

  private settle(spot?: Spot): void {
    this.limit();
    if (spot === undefined) this.whole(true);
    else this.go(spot, true);
    this.events.moved();
  }

  private limit(): void {
    const { viewport } = this.viewer;
    Object.assign(viewport, { maxZoomLevel: (CLOSEST * this.width) / viewport.getContainerSize().x });
  }

  private listen(): void {
    const { viewer, events } = this;
    viewer.addHandler("tile-drawing", (event) => {
      for (const layer of this.layers) layer.beforeDrawing(event.rendered);
    });
    viewer.addHandler("viewport-change", () => {
      viewer.drawer.setImageSmoothingEnabled(this.scale(true) < SQUARES);
      events.moved();
    });
    viewer.addHandler("resize", () => {
      this.limit();
      events.moved();
    });
    viewer.addHandler("canvas-click", (event) => {
      if (!event.quick) return;
      const point = viewer.viewport.pointFromPixel(event.position);
      const [x, y] = [Math.floor(point.x * this.width), Math.floor(point.y * this.width)];
      if (x >= 0 && y >= 0 && x < this.width && y < this.height) events.picked(x, y);
    });
    viewer.addHandler("canvas-key", (event) => {
      event.preventDefaultAction = true; // keys are the page's, wherever the focus is
    });
    viewer.world.addHandler("add-item", (event) => {
      event.item.addHandler("fully-loaded-change", () => events.loaded(this.allLoaded()));
    });
  }

  private allLoaded(): boolean {
    const { world } = this.viewer;
    return Array.from({ length: world.getItemCount() }, (_, index) => world.getItemAt(index)).every((item) =>
      item.getFullyLoaded(),
    );
  }
}
