/** Something that is asked of the server, in one of its three states. What was there stays while it is asked again. */

export type Failed = { message: string; next: string | undefined; code: string };

/** Errors of the server, of the core and of ways in say what to do next. */
export function failed(error: unknown): Failed {
  if (error instanceof Error && "code" in error && "next" in error) {
    const { message, next, code } = error as Error & Failed;
    return { message, next, code };
  }
  return { message: error instanceof Error ? error.message : String(error), next: undefined, code: "page" };
}

export class Loaded<T> {
  value = $state.raw<T | undefined>();
  error = $state.raw<Failed | undefined>();
  #asked = 0;
  readonly #ask: () => Promise<T>;

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  async load(): Promise<void> {
    const asked = ++this.#asked;
    try {
      const value = await this.#ask();
      if (asked !== this.#asked) return;
      this.value = value;
      this.error = undefined;
    } catch (error) {
      if (asked === this.#asked) this.error = failed(error);
    }
  }
}
