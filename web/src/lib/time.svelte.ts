/** Times as people say them. */
let now = $state(Date.now());
setInterval(() => {
  now = Date.now();
}, 1000);

export const clock = () => now;

/** `just now`, `5 min ago`, `14:05`, `3 May, 14:05`. */
export function ago(time: string): string {
  const then = Date.parse(time);
  const seconds = Math.round((now - then) / 1000);
  if (Number.isNaN(then)) return time;
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return day(time);
}

export function day(time: string): string {
  const then = new Date(time);
  if (Number.isNaN(then.getTime())) return time;
  const hour: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
  const isToday = then.toDateString() === new Date(now).toDateString();
  return then.toLocaleString("en-GB", isToday ? hour : { day: "numeric", month: "short", ...hour });
}

/** A sentence of the broker's with its times as people say them: `until 14:05`. */
export function spoken(sentence: string): string {
  return sentence.replace(/\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g, (time) => day(time));
}

/** What is left until then: `1:45`, `2 h 5 min`, or nothing. */
export function left(time: string): string {
  const seconds = Math.max(0, Math.floor((Date.parse(time) - now) / 1000));
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  const hours = Math.floor(seconds / 3600);
  return hours < 48 ? `${hours} h ${Math.floor((seconds % 3600) / 60)} min` : `${Math.floor(hours / 24)} days`;
}

export function lasted(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}
