/** The page of `cellscale view`. */

import { datasetFacts } from "./api";
import { App } from "./app";
import { byId } from "./dom";
import { type Key, listenToKeys } from "./keys";
import { notice } from "./notice";
import { startTheme, toggleTheme } from "./theme";

const STEP = 0.2;
const FACTOR = 1.5;

function toggle(name: string): void {
  const folded = document.body.classList.toggle("folded");
  byId(name).ariaExpanded = String(!folded);
}

async function copyLink(app: App): Promise<void> {
  const address = new URL(app.link(), location.href).href;
  history.replaceState(null, "", address);
  try {
    await navigator.clipboard.writeText(address);
    notice("Link copied. It works on this machine, as long as cellscale view is running.");
  } catch {
    notice("The link is in the address bar.");
  }
}

function keysOf(app: App): Key[] {
  const { picture } = app;
  const channel = (key: string) => app.toggleChannel(Number(key) - 1);
  return [
    { keys: ["ArrowLeft"], shown: "← ↑ → ↓", what: "move", act: () => picture.pan(-STEP, 0) },
    { keys: ["+", "="], shown: "+", what: "zoom in", act: () => picture.zoom(FACTOR) },
    { keys: ["-", "_"], shown: "−", what: "zoom out", act: () => picture.zoom(1 / FACTOR) },
    { keys: ["0", "Home"], shown: "0", what: "whole image", act: () => picture.whole() },
    { keys: ["[", "PageUp"], shown: "[", what: "previous image", act: () => app.step(-1) },
    { keys: ["]", "PageDown"], shown: "]", what: "next image", act: () => app.step(1) },
    { keys: ["1"], shown: "1 … 9", what: "channel on or off", act: () => channel("1") },
    { keys: ["Digit0"], shown: "⇧0 … ⇧9", what: "channels 10 to 19 on or off", act: () => app.toggleChannel(9) },
    { keys: ["c"], shown: "c", what: "cells: off, outlines, filled", act: () => app.objects.cycleMode("cells") },
    { keys: ["n"], shown: "n", what: "nuclei: off, outlines, filled", act: () => app.objects.cycleMode("nuclei") },
    { keys: ["g"], shown: "g", what: "go to a cell by its label", act: () => app.objects.focusJump() },
    { keys: ["Escape"], shown: "Esc", what: "deselect, or give up drawing", act: () => app.escape() },
    { keys: ["x"], shown: "x", what: "exclude the selected cell, or include it again", act: () => byId("selection-exclude").click() },
    { keys: ["r"], shown: "r", what: "draw a rectangle", act: () => app.regions.choose("rectangle") },
    { keys: ["i"], shown: "i", what: "save the picture with its scale bar", act: () => app.savePicture() },
    ...(app.tuning === null
      ? []
      : [{ keys: ["s"], shown: "s", what: "cells as at the start, or as now", act: () => app.tuning?.toggleStart() }]),
    { keys: ["l"], shown: "l", what: "copy a link to this view", act: () => void copyLink(app) },
    { keys: ["p"], shown: "p", what: "panel on or off", act: () => toggle("panel-toggle") },
    { keys: ["t"], shown: "t", what: "dark or light", act: toggleTheme },
    { keys: ["?"], shown: "?", what: "these keys", act: () => byId<HTMLDialogElement>("keys-dialog").showModal() },
  ];
}

/** Keys that share a line of the list with others. */
function furtherKeys(app: App): Key[] {
  const arrows: [string, number, number][] = [
    ["ArrowRight", STEP, 0],
    ["ArrowUp", 0, -STEP],
    ["ArrowDown", 0, STEP],
  ];
  const digits = ["2", "3", "4", "5", "6", "7", "8", "9"];
  return [
    { keys: ["Enter"], shown: "", what: "", act: () => app.regions.finish() },
    ...arrows.map(([key, x, y]) => ({ keys: [key], shown: "", what: "", act: () => app.picture.pan(x, y) })),
    ...["1", ...digits].map((key) => ({
      keys: [`Digit${key}`],
      shown: "",
      what: "",
      act: () => app.toggleChannel(Number(key) + 9),
    })),
    ...digits.map((key) => ({ keys: [key], shown: "", what: "", act: () => app.toggleChannel(Number(key) - 1) })),
  ];
}

function listenToButtons(app: App): void {
  const acts: Record<string, () => void> = {
    "zoom-in": () => app.picture.zoom(FACTOR),
    "zoom-out": () => app.picture.zoom(1 / FACTOR),
    "zoom-whole": () => app.picture.whole(),
    "panel-toggle": () => toggle("panel-toggle"),
    previous: () => app.step(-1),
    next: () => app.step(1),
    copy: () => void copyLink(app),
    theme: toggleTheme,
    snapshot: () => app.savePicture(),
    keys: () => byId<HTMLDialogElement>("keys-dialog").showModal(),
  };
  for (const [id, act] of Object.entries(acts)) byId(id).addEventListener("click", act);
}

async function start(): Promise<void> {
  startTheme();
  const app = new App(await datasetFacts());
  listenToKeys(keysOf(app), furtherKeys(app));
  listenToButtons(app);
  window.addEventListener("hashchange", () => void app.follow(location.hash));
  await app.follow(location.hash);
}

start().catch((error: unknown) => notice(error instanceof Error ? error.message : String(error), true));
