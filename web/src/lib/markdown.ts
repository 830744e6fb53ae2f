/** Markdown as a tree, which views show node by node: no HTML is ever made of it. */
import { Marked, type Token, type Tokens, type TokenizerAndRendererExtension } from "marked";

export type WikiLink = { type: "wiki"; raw: string; title: string; heading: string | undefined; text: string | undefined };
export type Node = Token | WikiLink;

/** `[[Title]]`, `[[Title|text]]`, `[[Title#heading]]`, as `crates/life/vault/src/links.rs` reads them. */
const wiki: TokenizerAndRendererExtension = {
  name: "wiki",
  level: "inline",
  start: (source) => source.indexOf("[["),
  tokenizer(source) {
    const found = /^\[\[([^\n[\]]+?)\]\]/.exec(source);
    if (!found?.[1]) return undefined;
    const bar = found[1].indexOf("|");
    const target = bar < 0 ? found[1] : found[1].slice(0, bar);
    const hash = target.indexOf("#");
    return {
      type: "wiki",
      raw: found[0],
      title: (hash < 0 ? target : target.slice(0, hash)).trim(),
      heading: hash < 0 ? undefined : target.slice(hash + 1).trim(),
      text: bar < 0 ? undefined : found[1].slice(bar + 1).trim(),
    };
  },
};

const reader = new Marked({ gfm: true });
reader.use({ extensions: [wiki] });

export const tree = (source: string): Node[] => reader.lexer(source);

/** Where a link may lead: to the web or to a mailbox, and not to a script. */
export function target(href: string): string | undefined {
  try {
    const url = new URL(href);
    return ["https:", "http:", "mailto:"].includes(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

const NAMED: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", hellip: "…", mdash: "—", ndash: "–", euro: "€" };

/** Text with its character references resolved: what is not known stays as it is written. */
export function plain(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([a-zA-Z]{2,8}));/g, (whole, decimal, hex, name) => {
    if (name) return NAMED[name] ?? whole;
    const code = decimal ? Number(decimal) : parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : whole;
  });
}

const TASK = /^[ \t]*(?:>[ \t]*)*(?:[-*+]|\d{1,9}[.)])[ \t]+\[([ xX])\](?=[ \t]+\S)/;

/** The lines of a text that are tasks, outside of fenced code. */
function taskLines(lines: string[]): number[] {
  const found: number[] = [];
  let fence: string | undefined;
  lines.forEach((line, at) => {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence !== undefined) {
      if (mark?.startsWith(fence)) fence = undefined;
    } else if (mark) fence = mark;
    else if (TASK.test(line)) found.push(at);
  });
  return found;
}

/** How many tasks the tree shows. */
export function tasks(nodes: Node[]): number {
  let count = 0;
  for (const node of nodes) {
    if (node.type === "list") {
      for (const item of (node as Tokens.List).items) count += (item.task ? 1 : 0) + tasks(item.tokens);
    } else if (node.type === "blockquote") count += tasks((node as Tokens.Blockquote).tokens);
  }
  return count;
}

/** The text with its nth task ticked or not; nothing where text and tree do not agree on what is a task. */
export function ticked(source: string, nth: number, count: number): string | undefined {
  const lines = source.split("\n");
  const places = taskLines(lines);
  const at = places[nth];
  if (places.length !== count || at === undefined) return undefined;
  lines[at] = (lines[at] ?? "").replace(/\[([ xX])\]/, (_, mark: string) => (mark === " " ? "[x]" : "[ ]"));
  return lines.join("\n");
}
