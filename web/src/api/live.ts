/** Server-sent events by `fetch`, since `EventSource` sends no header of ours. */
import { send } from "./client";
import type { LiveEvent } from "./types";

export type Told =
  | { event: "hello"; data: { entries: number } }
  | { event: "call"; data: LiveEvent }
  | { event: "skipped"; data: { entries: number } }
  | { event: "approvals"; data: { pending: number } }
  | { event: "setup"; data: Record<never, never> };

/** Tells what happens until the stream ends or `signal` does. `after`: go on behind so many entries of the log. */
export async function watch(
  after: number | undefined,
  signal: AbortSignal,
  tell: (told: Told) => void,
): Promise<void> {
  const query = after === undefined ? "" : `?after=${after}`;
  const response = await send(`/api/owner/live${query}`, { accept: "text/event-stream", signal });
  if (!response.body) return;
  let rest = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    const events = rest.split("\n\n");
    rest = events.pop() ?? "";
    for (const one of events) {
      const told = parse(one);
      if (told) tell(told);
    }
  }
}

function parse(text: string): Told | undefined {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 2));
  }
  const [event, data] = [fields.get("event"), fields.get("data")];
  return event && data ? ({ event, data: JSON.parse(data) } as Told) : undefined;
}
