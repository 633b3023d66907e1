/** The controls of all settings. */

import { byId, make } from "../dom";
import type { Control, TuningFacts, Values } from "./asked";

/** Of which groups the controls are in sight at first. */
const OPEN = new Set(["What is found", "Cells"]);

export interface FormEvents {
  /** Values changed that need no new prediction. */
  changed(): void;
  /** Whether values changed that do, and are not yet predicted with. */
  waiting(does: boolean): void;
}

interface Field {
  control: Control;
  get(): string;
  set(value: string): void;
}

export class TuningForm {
  private fields: Field[] = [];
  /** Values that the network last predicted with. */
  private predicted: Values = {};

  constructor(private readonly events: FormEvents) {}

  open(facts: TuningFacts): void {
    const groups = new Map<string, HTMLElement>();
    byId("tuning-channels").replaceChildren(...facts.channels.map((value) => make("option", { value })));
    byId("tuning-controls").replaceChildren();
    this.fields = facts.controls.map((control) => {
      let group = groups.get(control.group);
      if (group === undefined) {
        group = make("details", { open: OPEN.has(control.group) }, make("summary", { textContent: control.group }));
        if (control.again) group.append(make("p", { className: "hint", textContent: "These take a new prediction, which takes a while." }));
        groups.set(control.group, group);
        byId("tuning-controls").append(group);
      }
      const { field, line } = this.field(control);
      group.append(line);
      return field;
    });
    this.predicted = this.again();
    const again = make("button", { type: "button", id: "tuning-again", textContent: "Predict again", disabled: true });
    again.addEventListener("click", () => this.apply());
    groups.get(facts.controls.find((control) => control.again)?.group ?? "")?.append(again);
  }

  /** All values, those for which the network would have to predict again as they were. */
  values(): Values {
    return { ...this.all(), ...this.predicted };
  }

  /** All values as they stand. */
  all(): Values {
    return Object.fromEntries(this.fields.map(({ control, get }) => [control.key, get()]));
  }

  reset(): void {
    for (const { control, set } of this.fields) set(control.value);
    this.apply();
  }

  /** Take also those values for which the network has to predict again. */
  apply(): void {
    this.predicted = this.again();
    this.mark();
    this.events.changed();
  }

  private again(): Values {
    const fields = this.fields.filter(({ control }) => control.again);
    return Object.fromEntries(fields.map(({ control, get }) => [control.key, get()]));
  }

  private mark(): void {
    const waits = JSON.stringify(this.again()) !== JSON.stringify(this.predicted);
    byId<HTMLButtonElement>("tuning-again").disabled = !waits;
    this.events.waiting(waits);
  }

  private touched(control: Control): void {
    if (control.again) this.mark();
    else this.events.changed();
  }

  private field(control: Control): { field: Field; line: HTMLElement } {
    const id = `tuning-${control.key}`;
    const name = make("label", { htmlFor: id, textContent: control.label, title: control.help });
    const line = make("div", { className: "control", title: control.help }, name);
    if (control.kind === "choice") {
      const select = make("select", { id }, ...control.choices.map((choice) => new Option(choice, choice)));
      select.value = control.value;
      select.addEventListener("change", () => this.touched(control));
      line.append(select);
      return { field: { control, get: () => select.value, set: (value) => (select.value = value) }, line };
    }
    if (control.kind === "channels" || control.kind === "text") {
      const input = make("input", { id, type: "text", value: control.value, placeholder: control.usual || "as the file says", autocomplete: "off", spellcheck: false });
      if (control.kind === "channels") input.setAttribute("list", "tuning-channels");
      input.addEventListener("input", () => this.touched(control));
      input.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && control.again) this.apply();
      });
      line.append(input);
      return { field: { control, get: () => input.value.trim(), set: (value) => (input.value = value) }, line };
    }
    return { field: this.slider(control, id, line), line };
  }

  /** A slider for usual values beside a box for any; of a length with its unit. */
  private slider(control: Control, id: string, line: HTMLElement): Field {
    const { low, high, step } = control;
    const bounds = { min: String(low), max: String(high), step: String(step) };
    const slider = make("input", { type: "range", ...bounds, ariaLabel: `${control.label}: slider` });
    const box = make("input", { id, type: "number", step: "any", className: "value" });
    const unit = make("select", { ariaLabel: "Unit", className: "unit" }, new Option("µm", "um"), new Option("px", "px"));
    const isLength = control.kind === "length";
    slider.addEventListener("input", () => {
      box.value = slider.value;
      this.touched(control);
    });
    box.addEventListener("input", () => {
      slider.value = box.value;
      if (box.validity.valid && box.value !== "") this.touched(control);
    });
    unit.addEventListener("change", () => this.touched(control));
    line.append(slider, box, ...(isLength ? [unit] : []));
    const set = (value: string) => {
      const [, number, suffix] = /^([^a-zµ]*)(um|px)?$/.exec(value) ?? [];
      box.value = number === undefined || number === "" ? "0" : number;
      slider.value = box.value;
      unit.value = suffix ?? "um";
    };
    set(control.value);
    return { control, get: () => (isLength ? `${box.value || "0"}${unit.value}` : box.value), set };
  }
}
