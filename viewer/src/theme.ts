/** Dark or light: the system's choice, until the user makes one. */

const KEY = "cellscale-theme";
const light = matchMedia("(prefers-color-scheme: light)");

function chosen(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // a browser that keeps nothing
  }
}

function apply(): void {
  document.documentElement.dataset.theme = chosen() ?? (light.matches ? "light" : "dark");
}

export function startTheme(): void {
  light.addEventListener("change", apply);
  apply();
}

export function toggleTheme(): void {
  const next = document.documentElement.dataset.theme === "light" ? "dark" : "light";
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // the choice then holds until the page is left
  }
  document.documentElement.dataset.theme = next;
}
