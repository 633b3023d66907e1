/** Cells that a person excludes: kept by Object ID, as a table for `cellscale classify`. */

import { type Mask, facts, send } from "../api";
import { byId } from "../dom";
import { notice } from "../notice";

interface Kept {
  ids: string[];
  /** How many of them the image's table has. */
  known: number;
  labels: Record<Mask, number[]>;
  mark: string;
  place: string;
}

const NONE: Kept = { ids: [], known: 0, labels: { cells: [], nuclei: [] }, mark: "", place: "" };

export class Excluded {
  private kept: Kept = NONE;
  private image = -1;
  private id = "";

  constructor(
    private readonly changed: () => void,
    attempt: (work: () => Promise<void>) => Promise<void>,
  ) {
    byId("selection-exclude").addEventListener("click", () => void attempt(() => this.toggle()));
  }

  async open(image: number): Promise<void> {
    this.image = image;
    this.kept = NONE;
    const kept = await facts<Kept>(`images/${image}/excluded`);
    if (this.image === image) this.take(kept);
  }

  /** The labels of a mask that are excluded. */
  labels(mask: Mask): number[] {
    return this.kept.labels[mask];
  }

  /** Show the button of a selected cell; "" for one without an ID. */
  show(id: string): void {
    this.id = id;
    const button = byId("selection-exclude");
    button.hidden = id === "";
    const is = this.kept.ids.includes(id);
    button.textContent = is ? "Include" : "Exclude";
    button.ariaPressed = String(is);
  }

  /** Exclude the selected cell, or include it again. */
  async toggle(): Promise<void> {
    const { id, image } = this;
    if (id === "") return;
    const { ids, mark } = this.kept;
    const is = ids.includes(id);
    const next = is ? ids.filter((one) => one !== id) : [...ids, id];
    const kept = await send<Kept>(`images/${image}/excluded`, { ids: next, mark });
    if (this.image !== image) return;
    this.take(kept);
    notice(is ? "Included again" : `Excluded: kept in ${kept.place}`);
  }

  private take(kept: Kept): void {
    this.kept = kept;
    const gone = kept.ids.length - kept.known;
    const lost = gone === 0 ? "" : `; ${gone} of them are not in this image's table`;
    byId("excluded-count").hidden = kept.ids.length === 0;
    byId("excluded-count").textContent = `${kept.ids.length.toLocaleString("en")} excluded${lost}: ${kept.place}`;
    this.show(this.id);
    this.changed();
  }
}
