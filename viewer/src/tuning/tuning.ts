/** Settings that are tuned: every change shows other cells at once. */

import type { ImageFacts, Mask } from "../api";
import { byId } from "../dom";
import { notice } from "../notice";
import type { Picture } from "../picture";
import { type Crop, type Found, type TuningFacts, findCells, keepSettings, tuningFacts } from "./asked";
import { TuningForm } from "./form";
import { showNumbers } from "./numbers";

export interface TuningHost {
  readonly picture: Picture;
  /** Show another version of the cells. */
  version(version: number, touched: Map<Mask, number[]>): void;
  /** Do something that may fail, and tell the user if it does. */
  attempt(work: () => Promise<void>): Promise<void>;
}

export class Tuning {
  private readonly form = new TuningForm({ changed: () => this.changed(), waiting: (does) => this.waiting(does) });
  private facts: TuningFacts | null = null;
  private crop: Crop = [0, 0, 1, 1];
  private found: Found | null = null;
  private asking = false;
  private again = false;
  private wide: ImageFacts | null = null;
  /** Whether the values were refused that were asked for last. */
  private refused = false;

  constructor(private readonly host: TuningHost) {
    const acts: Record<string, () => void> = {
      "tuning-keep": () => void host.attempt(() => this.keep()),
      "tuning-reset": () => this.form.reset(),
      "tuning-start": () => this.toggleStart(),
      "tuning-here": () => this.lookHere(),
    };
    for (const [id, act] of Object.entries(acts)) byId(id).addEventListener("click", act);
  }

  /** The number of the image that is tuned. */
  get image(): number {
    return this.facts?.image ?? -1;
  }

  async load(): Promise<void> {
    this.facts = await tuningFacts();
    this.crop = this.facts.crop;
    this.form.open(this.facts);
    byId("tuning-place").textContent = this.facts.settings;
  }

  /** What is known of the image, with the cells that are found now in place of masks. */
  adopt(facts: ImageFacts): ImageFacts {
    const own = { masks: ["cells", "nuclei"] as ImageFacts["masks"], measurements: [], classes: [], objects: 0 };
    return { ...facts, ...own, version: this.found?.version ?? 0 };
  }

  /** Show the controls where the image is the one that is tuned. */
  open(facts: ImageFacts, number: number, go: boolean): void {
    const own = number === this.image;
    byId("tuning").hidden = !own;
    this.host.picture.frame(own ? this.crop : null);
    this.wide = facts;
    if (!own) return;
    if (go) this.host.picture.fit(this.crop);
    if (this.found === null) this.changed();
  }

  /** Show what there was at the start, or what there is now. */
  toggleStart(): void {
    const button = byId("tuning-start");
    if (this.found === null) return;
    const start = button.ariaPressed !== "true";
    button.ariaPressed = String(start);
    if (start) this.host.version(this.found.start, new Map());
    else this.host.version(this.found.version, touched(this.found));
  }

  /** Take the part of the image that is in the middle of the screen. */
  private lookHere(): void {
    if (this.wide === null) return;
    const { x, y } = this.host.picture.spot();
    const [, , width, height] = this.crop;
    const start = (middle: number, size: number, whole: number) =>
      Math.round(Math.min(Math.max(middle - size / 2, 0), whole - size));
    this.crop = [start(x, width, this.wide.width), start(y, height, this.wide.height), width, height];
    this.host.picture.frame(this.crop);
    this.changed();
  }

  private waiting(does: boolean): void {
    byId<HTMLButtonElement>("tuning-keep").disabled = does;
    if (does) byId("tuning-status").textContent = "Press “Predict again” to see these channels";
    else if (!this.asking) this.tellShown();
  }

  /** Ask for the cells of the values as they are now; while an answer is awaited, once more after it. */
  private changed(): void {
    this.again = true;
    if (!this.asking) void this.host.attempt(() => this.ask());
  }

  private async ask(): Promise<void> {
    this.asking = true;
    const slow = window.setTimeout(() => this.busy(true), 400);
    try {
      while (this.again) {
        this.again = false;
        const found = await findCells(this.form.values(), this.crop);
        this.found = found;
        this.refused = false;
        byId("tuning-start").ariaPressed = "false";
        showNumbers(found);
        this.host.version(found.version, touched(found));
      }
    } catch (error) {
      this.refused = true;
      throw error;
    } finally {
      this.asking = false;
      window.clearTimeout(slow);
      this.busy(false);
      this.tellShown();
    }
  }

  /** Say which cells are on the screen: after a refusal they are not those of the values that the controls show. */
  private tellShown(): void {
    const { found } = this;
    const status = byId("tuning-status");
    if (this.refused) {
      const shown = found === null ? "no cells are shown" : "the cells shown are those of the settings before";
      status.textContent = `Refused: ${shown}`;
    } else if (found !== null) status.textContent = `Found in ${found.seconds.toFixed(2)} s`;
  }

  private busy(is: boolean): void {
    byId("tuning").ariaBusy = String(is);
    if (is) byId("tuning-status").textContent = "Finding cells; a new crop or other channels take a prediction …";
  }

  private async keep(): Promise<void> {
    const { place } = await keepSettings(this.form.values());
    notice(`Settings kept in ${place}. A run takes them with --settings.`);
    byId("tuning-kept").textContent = `Kept: cellscale segment-and-measure --settings ${place}`;
    byId("tuning-kept").hidden = false;
  }
}

function touched({ masks }: Found): Map<Mask, number[]> {
  return new Map(Object.entries(masks).map(([mask, numbers]) => [mask as Mask, numbers.touched]));
}
