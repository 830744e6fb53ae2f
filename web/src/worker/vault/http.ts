/** Requests of the Worker to this origin, with both halves of the account's session. All that passes is sealed. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly next: string | undefined,
    readonly status: number,
  ) {
    super(message);
  }
}

export class Server {
  constructor(public csrf: string) {}

  async text(method: string, path: string, body?: string): Promise<string> {
    const headers: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
    return (await this.#send(method, path, headers, body ?? null)).text();
  }

  async bytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await (await this.#send("GET", path, {}, null)).arrayBuffer());
  }

  async put(path: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#send("PUT", path, { "content-type": "application/octet-stream" }, body);
  }

  async #send(method: string, path: string, headers: Record<string, string>, body: BodyInit | null): Promise<Response> {
    let response: Response;
    try {
      const sent = { ...headers, "x-symbolon-csrf": this.csrf };
      response = await fetch(path, { method, headers: sent, body, cache: "no-store", redirect: "error" });
    } catch {
      throw new Refused("unreachable", "The server does not answer.", undefined, 0);
    }
    if (response.ok) return response;
    const said = (await response.json().catch(() => ({}))) as { code?: string; message?: string; next?: string };
    throw new Refused(said.code ?? "failed", said.message ?? `The server answered ${response.status}.`, said.next, response.status);
  }
}

/** The code of whatever was thrown: the core throws JSON. */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof Refused) return error.code;
  return typeof error === "string" ? (JSON.parse(error) as { code: string }).code : undefined;
}
