/** Regions as GeoJSON: what is drawn, and what of a file can be shown. */

export type Point = [x: number, y: number];

export interface Feature {
  type: "Feature";
  id?: string;
  geometry: { type: string; coordinates?: unknown; geometries?: unknown } | null;
  properties: Record<string, unknown> | null;
}

export type Tool = "rectangle" | "ellipse" | "polygon";

const SIDES = 72;

/** The outline that two opposite corners mean. */
export function outline(tool: Tool, [x0, y0]: Point, [x1, y1]: Point): Point[] {
  if (tool !== "ellipse") return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  const [x, y, across, down] = [(x0 + x1) / 2, (y0 + y1) / 2, Math.abs(x1 - x0) / 2, Math.abs(y1 - y0) / 2];
  return Array.from({ length: SIDES }, (_, side) => {
    const angle = (2 * Math.PI * side) / SIDES;
    return [x + across * Math.cos(angle), y + down * Math.sin(angle)];
  });
}

/** An annotation as QuPath has it, closed, to a hundredth of a pixel. */
export function feature(points: Point[], name: string): Feature {
  const rounded = points.map(([x, y]): Point => [round(x), round(y)]);
  return {
    type: "Feature",
    id: crypto.randomUUID(),
    geometry: { type: "Polygon", coordinates: [[...rounded, rounded[0]]] },
    properties: { objectType: "annotation", name },
  };
}

/** All rings of a region; of a circle (a point with a radius) its outline. */
export function rings({ geometry, properties }: Feature): Point[][] {
  const coordinates = geometry?.coordinates;
  if (geometry?.type === "Polygon") return coordinates as Point[][];
  if (geometry?.type === "MultiPolygon") return (coordinates as Point[][][]).flat();
  const radius = properties?.radius;
  if (geometry?.type === "Point" && typeof radius === "number") {
    const [x, y] = coordinates as Point;
    return [outline("ellipse", [x - radius, y - radius], [x + radius, y + radius])];
  }
  return [];
}

export function nameOf({ properties }: Feature): string {
  const { name, classification } = properties ?? {};
  if (typeof name === "string") return name;
  const named = (classification as { name?: unknown } | undefined)?.name ?? classification;
  return typeof named === "string" ? named : "Region";
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
