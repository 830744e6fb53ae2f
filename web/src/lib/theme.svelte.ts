/** Light, dark, or as the system has it. */
export type Theme = "system" | "light" | "dark";

const KEPT = "symbolon.theme";

function kept(): Theme {
  const word = localStorage.getItem(KEPT);
  return word === "light" || word === "dark" ? word : "system";
}

let theme = $state<Theme>(kept());

export const currentTheme = () => theme;

export function applyTheme(): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

export function setTheme(next: Theme): void {
  theme = next;
  if (next === "system") localStorage.removeItem(KEPT);
  else localStorage.setItem(KEPT, next);
  applyTheme();
}
