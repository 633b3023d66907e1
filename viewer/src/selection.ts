/** The selected cell and its measurements. */

import type { Mask, ObjectFacts } from "./api";
import { byId, make } from "./dom";
import type { Selected } from "./settings";

export interface SelectionEvents {
  show(): void;
  close(): void;
  measurement(name: string): void;
}

const NAMES: Record<Mask, string> = { cells: "Cell", nuclei: "Nucleus" };

export class SelectionPanel {
  private readonly filter = byId<HTMLInputElement>("selection-filter");
  private readonly body = byId<HTMLTableElement>("values").tBodies[0];

  constructor(
    private readonly events: SelectionEvents,
    private readonly isMeasurement: (name: string) => boolean,
  ) {
    byId("selection-show").addEventListener("click", () => events.show());
    byId("selection-close").addEventListener("click", () => events.close());
    this.filter.addEventListener("input", () => this.filtered());
  }

  hide(): void {
    byId("selection").hidden = true;
  }

  show(selected: Selected, { row }: ObjectFacts): void {
    const { mask, label } = selected;
    byId("selection-title").textContent = `${NAMES[mask]} ${label}`;
    const other: Mask = mask === "cells" ? "nuclei" : "cells";
    const partner = row?.labels[other] ?? null;
    const id = row?.id === "" ? "" : `ID ${row?.id}`; // cells that are being tuned have none
    const told = row === null ? "No table of cells is there yet: measure the image first." : id;
    const beside = partner === null ? "" : `${NAMES[other]} ${partner} · `;
    byId("selection-facts").textContent = beside + told;
    this.filter.hidden = row === null;
    this.body.replaceChildren(...(row?.values ?? []).map(([name, value]) => this.line(name, value)));
    this.filtered();
    byId("selection").hidden = false;
  }

  /** Mark the measurement that colours the cells. */
  mark(measurement: string | null): void {
    for (const button of this.body.querySelectorAll("button"))
      button.ariaPressed = String(button.textContent === measurement);
  }

  private line(name: string, value: string): HTMLTableRowElement {
    const cell = make("td");
    if (this.isMeasurement(name)) {
      const button = make("button", { type: "button", textContent: name, title: "Colour all cells by this" });
      button.addEventListener("click", () => this.events.measurement(name));
      cell.append(button);
    } else {
      cell.textContent = name;
    }
    return make("tr", {}, cell, make("td", { textContent: value === "" ? "–" : value }));
  }

  private filtered(): void {
    const words = this.filter.value.toLowerCase().split(/\s+/);
    for (const row of this.body.rows) {
      const name = row.cells[0].textContent?.toLowerCase() ?? "";
      row.hidden = !words.every((word) => name.includes(word));
    }
    const rows = [...this.body.rows];
    byId("selection-none").hidden = rows.length === 0 || rows.some((row) => !row.hidden);
  }
}
