/** One line over the picture. */

import { byId } from "./dom";

let timer = 0;

/** Say something; what is wrong stays until the next success, all else goes by itself. */
export function notice(text: string, wrong = false): void {
  const line = byId("notice");
  line.textContent = text;
  line.classList.toggle("wrong", wrong);
  line.hidden = false;
  window.clearTimeout(timer);
  if (!wrong) timer = window.setTimeout(hideNotice, 2500);
}

export function hideNotice(): void {
  byId("notice").hidden = true;
}
