/** Regions of an image: drawn, named, and kept as GeoJSON. */

import { facts, send } from "../api";
import { byId, make, saveAs } from "../dom";
import { notice } from "../notice";
import type { Picture } from "../picture";
import { Board } from "./board";
import { type Feature, type Point, type Tool, feature, nameOf } from "./shapes";

interface Kept {
  features: Feature[];
  /** Which content the file has. */
  mark: string;
  place: string;
}

const TOOLS: Tool[] = ["rectangle", "ellipse", "polygon"];

/** Share of the screen that "what is in sight" takes along each side. */
const SIGHT = 0.9;

export class Regions {
  private readonly board: Board;
  private kept: Kept = { features: [], mark: "", place: "" };
  private image = -1;
  private imageName = "";
  private tool: Tool | null = null;

  constructor(
    private readonly picture: Picture,
    attempt: (work: () => Promise<void>) => Promise<void>,
  ) {
    this.board = new Board(picture, byId("picture"), {
      drawn: (points) => this.add(points),
      ended: () => this.choose(null),
    });
    for (const tool of TOOLS)
      byId(`draw-${tool}`).addEventListener("click", () => this.choose(this.tool === tool ? null : tool));
    byId("draw-sight").addEventListener("click", () => this.add(picture.inSight(SIGHT)));
    byId("regions-save").addEventListener("click", () => void attempt(() => this.save()));
    byId("regions-download").addEventListener("click", () => this.download());
  }

  async open(image: number, name: string): Promise<void> {
    this.image = image;
    this.imageName = name;
    this.kept = { features: [], mark: "", place: "" };
    this.show(false);
    const kept = await facts<Kept>(`images/${image}/regions`);
    if (this.image !== image) return; // another image was opened meanwhile
    this.kept = kept;
    this.show(false);
  }

  moved(): void {
    this.board.draw();
  }

  /** Draw with a tool; none for no more. */
  choose(tool: Tool | null): void {
    this.tool = tool;
    for (const one of TOOLS) byId(`draw-${one}`).ariaPressed = String(one === tool);
    byId("draw-hint").hidden = tool === null;
    byId("draw-hint").textContent = tool === "polygon" ? "Click the corners; the first one again, a double click or Enter closes; Esc gives up" : "Drag over the picture; Esc gives up";
    this.board.begin(tool);
  }

  /** Close a polygon; false where none is being drawn. */
  finish(): boolean {
    if (this.tool === null) return false;
    this.board.finish();
    return true;
  }

  /** Give up drawing; false where nothing is being drawn. */
  cancel(): boolean {
    if (this.tool === null) return false;
    this.choose(null);
    return true;
  }

  private add(points: Point[]): void {
    const inside = points.map(([x, y]): Point => this.picture.clipped([x, y]));
    const names = new Set(this.kept.features.map(nameOf));
    let number = this.kept.features.length + 1;
    while (names.has(`Region ${number}`)) number += 1;
    this.kept.features.push(feature(inside, `Region ${number}`));
    this.show(true);
    const inputs = byId("regions").querySelectorAll("input");
    inputs[inputs.length - 1]?.select();
  }

  private show(changed: boolean): void {
    const { features } = this.kept;
    byId("regions").replaceChildren(...features.map((one) => this.line(one)));
    byId<HTMLButtonElement>("regions-download").disabled = features.length === 0;
    byId<HTMLButtonElement>("regions-save").disabled = !changed;
    byId("regions-place").textContent = this.kept.place;
    this.board.show(features);
  }

  private line(one: Feature): HTMLElement {
    const name = make("input", { type: "text", value: nameOf(one), ariaLabel: "Name of the region", autocomplete: "off" });
    name.addEventListener("input", () => {
      one.properties = { ...one.properties, name: name.value };
      byId<HTMLButtonElement>("regions-save").disabled = false;
      this.board.draw();
    });
    const remove = make("button", { type: "button", textContent: "Remove", ariaLabel: `Remove ${nameOf(one)}` });
    remove.addEventListener("click", () => {
      this.kept.features = this.kept.features.filter((other) => other !== one);
      this.show(true);
    });
    return make("li", {}, name, remove);
  }

  private text(): string {
    return JSON.stringify({ type: "FeatureCollection", features: this.kept.features }, null, 1);
  }

  private async save(): Promise<void> {
    const { features, mark, place } = this.kept;
    const saved = await send<{ mark: string }>(`images/${this.image}/regions`, { features, mark });
    this.kept.mark = saved.mark;
    this.show(false);
    notice(`Saved in ${place}`);
  }

  private download(): void {
    saveAs(new Blob([this.text()], { type: "application/geo+json" }), `${this.imageName}.geojson`);
  }
}
