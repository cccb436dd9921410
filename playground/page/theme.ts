/**
 * Dark or light: as the system says, until the reader chooses.
 *
 * @module
 */

/// <reference lib="dom" />

const DARK = matchMedia("(prefers-color-scheme: dark)");

/** Makes a button switch between the two. */
export function startTheme(button: HTMLButtonElement): void {
  let chosen: boolean | undefined;
  const show = (): void => {
    const isDark = chosen ?? DARK.matches;
    document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
    button.textContent = isDark ? "Light theme" : "Dark theme";
  };
  DARK.addEventListener("change", show);
  button.addEventListener("click", () => {
    chosen = !(chosen ?? DARK.matches);
    show();
  });
  show();
}
