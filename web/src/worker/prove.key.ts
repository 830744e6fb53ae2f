/** The proving key that this browser made, a few megabytes that everybody can make: kept so that the next proof begins
 * sooner. Whoever reads it holds it against its pinned hash. */
const NAME = "symbolon-proving-keys";

const address = (name: string) => `/proving-keys/${name}`;

/** Nothing where there is none, or the browser stores nothing. */
export async function read(name: string): Promise<Uint8Array | undefined> {
  try {
    const found = await (await caches.open(NAME)).match(address(name));
    return found && new Uint8Array(await found.arrayBuffer());
  } catch {
    return undefined;
  }
}

/** Keeps this one alone: those of other versions go. */
export async function write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  try {
    await caches.delete(NAME);
    await (await caches.open(NAME)).put(address(name), new Response(bytes));
  } catch {
    // A browser that stores nothing, or no more: it is made again the next time.
  }
}
