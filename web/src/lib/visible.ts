/** Text in which nothing hides: characters that change the direction of what follows, that are not seen, or that are
 * no text, stand as their numbers. Line ends and tabs stay. The same ranges as the broker's (`approvals/view.rs`). */
export function visible(text: string): string {
  let out = "";
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const stays = character === "\n" || character === "\t" || !hides(code);
    out += stays ? character : `\\u{${code.toString(16)}}`;
  }
  return out;
}

function hides(code: number): boolean {
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) || HIDDEN.some(([from, to]) => code >= from && code <= to);
}

const HIDDEN: [number, number][] = [
  [0xad, 0xad], [0x34f, 0x34f], [0x61c, 0x61c], [0x115f, 0x1160], [0x17b4, 0x17b5], [0x180b, 0x180f],
  [0x200b, 0x200f], [0x2028, 0x202f], [0x205f, 0x206f], [0x2800, 0x2800], [0x3164, 0x3164], [0xd800, 0xdfff],
  [0xe000, 0xf8ff], [0xfe00, 0xfe0f], [0xfeff, 0xfeff], [0xffa0, 0xffa0], [0xfff0, 0xfffd], [0x1d173, 0x1d17a],
  [0xe0000, 0xe0fff], [0xf0000, 0x10ffff],
];
