/** Keys, and the dialog that lists them. */

import { byId, make } from "./dom";

export interface Key {
  /** As KeyboardEvent names them; the first ones are shown. */
  keys: string[];
  shown: string;
  what: string;
  act(): void;
}

/** Listen to all keys, and list those of `keys`; others share a line with one of them. */
export function listenToKeys(keys: Key[], others: Key[]): void {
  const acts = new Map([...keys, ...others].flatMap((key) => key.keys.map((name) => [name, key.act] as const)));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event)) return;
    const digit = event.shiftKey ? /^Digit\d$/.exec(event.code)?.[0] : undefined; // whatever sign the keyboard has there
    const act = acts.get(digit ?? event.key);
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
  byId("keys-list").replaceChildren(
    ...keys.flatMap(({ shown, what }) => [
      make("dt", {}, ...shown.split(" ").map((text) => make("kbd", { textContent: text }))),
      make("dd", { textContent: what }),
    ]),
  );
}

/** Whether the key belongs to the field or dialog that has the focus. */
function typing(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  if (target.closest("dialog") !== null) return true;
  if (target.closest("select, textarea") !== null) return event.key !== "Escape";
  const input = target.closest("input");
  if (input === null) return false;
  if (input.type === "checkbox" || input.type === "color") return event.key === " " || event.key === "Enter";
  if (input.type === "radio" || input.type === "range") return event.key.startsWith("Arrow") || event.key === " ";
  return true;
}
