/** The sealed copy of a vault that a browser keeps, so that a big one opens fast. Nothing else is stored. One tab of a
 * vault writes it: two would take turns in forgetting what the other had not sent yet. */
const NAME = "symbolon-vault";
const STORE = "sealed";

function database(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error("This browser stores nothing."));
  });
}

async function within<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const open = await database();
  try {
    return await new Promise<T>((resolve, reject) => {
      const transaction = open.transaction(STORE, mode);
      const asked = act(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onabort = () => reject(transaction.error ?? new Error("This browser stores nothing."));
    });
  } finally {
    open.close();
  }
}

export const read = (vault: string): Promise<Uint8Array | undefined> => within("readonly", (store) => store.get(vault));

export async function write(vault: string, sealed: Uint8Array): Promise<void> {
  await within("readwrite", (store) => store.put(sealed, vault));
}

export async function forget(vault: string): Promise<void> {
  await within("readwrite", (store) => store.delete(vault));
}

/** Becomes the tab that writes the copy, now or when the one before is closed; gives what says whether it is. */
export function keeper(vault: string): { writes: () => boolean; end: () => void } {
  let has = false;
  let end: () => void = () => undefined;
  const until = new Promise<void>((done) => (end = done));
  const waiting = new AbortController();
  const held = navigator.locks.request(`${NAME} ${vault}`, { signal: waiting.signal }, () => {
    has = true;
    return until;
  });
  held.catch(() => undefined);
  return {
    writes: () => has,
    end: () => {
      has = false;
      end();
      waiting.abort();
    },
  };
}
