/**
 * Tabs with the keys of the ARIA pattern: arrows, Home, End.
 *
 * @module
 */

/// <reference lib="dom" />

/** Tabs of the page. */
export interface Tabs {
  /** Selects a tab by the identifier of its panel. */
  select(panel: string): void;
  /** Returns the identifier of the selected panel. */
  selected(): string;
}

/**
 * Makes the tabs of a list work.
 *
 * @param list The element with the role `tablist`.
 * @param onSelect Called with the identifier of a panel.
 */
export function startTabs(
  list: HTMLElement,
  onSelect: (panel: string) => void,
): Tabs {
  const tabs = [...list.querySelectorAll<HTMLElement>("[role=tab]")];
  const panelOf = (tab: HTMLElement): string =>
    tab.getAttribute("aria-controls") ?? "";
  let current = tabs[0];
  const show = (tab: HTMLElement): void => {
    current = tab;
    for (const each of tabs) {
      const isSelected = each === tab;
      each.setAttribute("aria-selected", String(isSelected));
      each.tabIndex = isSelected ? 0 : -1;
      const panel = document.getElementById(panelOf(each));
      if (panel !== null) panel.hidden = !isSelected;
    }
    tab.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  for (const [i, tab] of tabs.entries()) {
    tab.addEventListener("click", () => {
      show(tab);
      onSelect(panelOf(tab));
    });
    tab.addEventListener("keydown", (event) => {
      const steps: Readonly<Record<string, number>> = {
        ArrowRight: i + 1,
        ArrowLeft: i - 1 + tabs.length,
        Home: 0,
        End: tabs.length - 1,
      };
      const next = tabs[(steps[event.key] ?? NaN) % tabs.length];
      if (next === undefined) return;
      event.preventDefault();
      next.focus();
      next.click();
    });
  }
  if (current !== undefined) show(current);
  return {
    select: (panel) => {
      const tab = tabs.find((each) => panelOf(each) === panel);
      if (tab !== undefined) show(tab);
    },
    selected: () => current === undefined ? "" : panelOf(current),
  };
}
