/** What of a text stayed, went and came, line by line: the longest common subsequence. */
export type Line = { is: "same" | "gone" | "new" | "far"; text: string };

/** Beyond this many steps the middle is shown as gone and new whole. */
const STEPS_MAX = 4_000_000;
/** Lines around a change that are shown. */
const AROUND = 3;

export function diff(before: string, after: string): Line[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head++;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail++;
  const same = (lines: string[]): Line[] => lines.map((text) => ({ is: "same", text }));
  return [
    ...same(old.slice(0, head)),
    ...middle(old.slice(head, old.length - tail), now.slice(head, now.length - tail)),
    ...same(old.slice(old.length - tail)),
  ];
}

function middle(old: string[], now: string[]): Line[] {
  const gone = (text: string): Line => ({ is: "gone", text });
  const come = (text: string): Line => ({ is: "new", text });
  if (old.length * now.length > STEPS_MAX) return [...old.map(gone), ...now.map(come)];
  const width = now.length + 1;
  const longest = new Uint32Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      const at = i * width + j;
      longest[at] = old[i] === now[j] ? (longest[at + width + 1] ?? 0) + 1 : Math.max(longest[at + width] ?? 0, longest[at + 1] ?? 0);
    }
  }
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    const [left, right] = [old[i], now[j]];
    if (left !== undefined && left === right) {
      lines.push({ is: "same", text: left });
      [i, j] = [i + 1, j + 1];
    } else if (right === undefined || (left !== undefined && (longest[(i + 1) * width + j] ?? 0) >= (longest[i * width + j + 1] ?? 0))) {
      lines.push(gone(left ?? ""));
      i++;
    } else {
      lines.push(come(right));
      j++;
    }
  }
  return lines;
}

/** The changes with what stands around them; what is left out is one line that says how much. */
export function around(lines: Line[]): Line[] {
  const near = lines.map((_, at) => lines.slice(Math.max(0, at - AROUND), at + AROUND + 1).some((line) => line.is !== "same"));
  const shown: Line[] = [];
  let far = 0;
  lines.forEach((line, at) => {
    if (!near[at]) far++;
    if (far > 0 && (near[at] || at === lines.length - 1)) {
      shown.push({ is: "far", text: far === 1 ? "1 line as it was" : `${far} lines as they were` });
      far = 0;
    }
    if (near[at]) shown.push(line);
  });
  return shown;
}
