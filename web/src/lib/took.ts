/** How long something took here the last time: what is expected of the next. */
export function expected(what: string, otherwise: number): number {
  const ms = Number(localStorage.getItem(`symbolon.took.${what}`));
  return ms > 0 && ms < 60_000 ? ms : otherwise;
}

export async function timed<T>(what: string, run: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const done = await run();
  localStorage.setItem(`symbolon.took.${what}`, String(Math.round(performance.now() - began)));
  return done;
}
