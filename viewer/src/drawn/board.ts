/** What is drawn on the picture: regions that are there, and the one that is being drawn. */

import type { Picture } from "../picture";
import { type Feature, type Point, type Tool, nameOf, outline, rings } from "./shapes";

const SVG = "http://www.w3.org/2000/svg";

/** Screen pixels that a pointer moves at least for a rectangle to be meant. */
const LEAST = 4;

/** Screen pixels around the first corner in which a click closes a polygon. */
const CLOSE = 10;

export interface BoardEvents {
  /** A region was drawn. */
  drawn(points: Point[]): void;
  /** Drawing ended, with a region or without. */
  ended(): void;
}

export class Board {
  private readonly svg = document.createElementNS(SVG, "svg");
  private features: Feature[] = [];
  private tool: Tool | null = null;
  private points: Point[] = [];
  private hover: Point | null = null;

  constructor(
    private readonly picture: Picture,
    element: HTMLElement,
    private readonly events: BoardEvents,
  ) {
    this.svg.id = "drawn";
    this.svg.setAttribute("aria-hidden", "true");
    element.append(this.svg);
    this.svg.addEventListener("pointerdown", (event) => this.down(event));
    this.svg.addEventListener("pointermove", (event) => this.move(event));
    this.svg.addEventListener("pointerup", (event) => this.up(event));
    this.svg.addEventListener("dblclick", () => this.finish());
  }

  show(features: Feature[]): void {
    this.features = features;
    this.draw();
  }

  /** Begin to draw; null for no more. */
  begin(tool: Tool | null): void {
    this.tool = tool;
    this.points = [];
    this.hover = null;
    this.svg.classList.toggle("drawing", tool !== null);
    this.draw();
  }

  /** Close the polygon. */
  finish(): void {
    const points = this.points.filter((point, index) => index === 0 || far(point, this.points[index - 1], 0));
    if (this.tool !== "polygon" || points.length < 3) return;
    this.end(points);
  }

  /** Draw all where it is on screen now. */
  draw(): void {
    const lines = this.features.flatMap((feature) => {
      const shape = this.path(rings(feature), "region");
      const [first] = rings(feature);
      if (first === undefined) return [shape];
      const [x, y] = this.picture.onScreen(first[0]);
      const name = document.createElementNS(SVG, "text");
      name.textContent = nameOf(feature);
      name.setAttribute("x", String(x + 4));
      name.setAttribute("y", String(y - 4));
      return [shape, name];
    });
    const going = this.hover === null ? this.points : [...this.points, this.hover];
    const rest = this.tool === "polygon" ? going : this.rectangle();
    if (rest.length > 1) lines.push(this.path([rest], "going"));
    this.svg.replaceChildren(...lines);
  }

  private rectangle(): Point[] {
    if (this.tool === null || this.points.length === 0 || this.hover === null) return [];
    return outline(this.tool, this.points[0], this.hover);
  }

  private path(lines: Point[][], name: string): SVGElement {
    const path = document.createElementNS(SVG, "path");
    const text = lines.map((ring) => `M${ring.map((point) => this.picture.onScreen(point).join(",")).join("L")}Z`);
    path.setAttribute("d", text.join(""));
    path.setAttribute("class", name);
    return path;
  }

  private at(event: PointerEvent): Point {
    const box = this.svg.getBoundingClientRect();
    return this.picture.inImage([event.clientX - box.left, event.clientY - box.top]);
  }

  private down(event: PointerEvent): void {
    if (this.tool === null) return;
    const point = this.at(event);
    if (this.tool === "polygon") {
      const [first] = this.points;
      if (this.points.length > 2 && !far(this.picture.onScreen(first), this.picture.onScreen(point), CLOSE)) return this.finish();
      this.points.push(point);
    } else {
      this.svg.setPointerCapture(event.pointerId);
      this.points = [point];
    }
    this.hover = point;
    this.draw();
  }

  private move(event: PointerEvent): void {
    if (this.tool === null || this.points.length === 0) return;
    this.hover = this.at(event);
    this.draw();
  }

  private up(event: PointerEvent): void {
    if (this.tool === null || this.tool === "polygon" || this.points.length === 0) return;
    const [first] = this.points;
    const last = this.at(event);
    if (far(this.picture.onScreen(first), this.picture.onScreen(last), LEAST)) this.end(outline(this.tool, first, last));
    else this.begin(this.tool);
  }

  private end(points: Point[]): void {
    this.begin(null);
    this.events.drawn(points);
    this.events.ended();
  }
}

function far([x0, y0]: Point, [x1, y1]: Point, distance: number): boolean {
  return Math.hypot(x1 - x0, y1 - y0) > distance;
}
