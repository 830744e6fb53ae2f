/** What tabs of one browser tell each other: that something happened at the server, never a word of a vault. */
export type News =
  /** The account of this vault was deleted. */
  | { what: "deleted"; vault: string }
  /** This vault has another data key. */
  | { what: "rotated"; vault: string };

const channel = new BroadcastChannel("symbolon");

/** The other tabs hear it; this one knows. */
export const tell = (news: News) => channel.postMessage(news);

export const hear = (hears: (news: News) => void) => channel.addEventListener("message", ({ data }: MessageEvent<News>) => hears(data));
