/** Whether one of these patterns, such as `github.issues.*`, names this scope. */
export function covers(patterns: string[], scope: string): boolean {
  return patterns.some((pattern) => {
    const parts = pattern.split("*").map((part) => part.replace(/[.\\^$+?()[\]{}|]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`).test(scope);
  });
}
