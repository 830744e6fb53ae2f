/** Who registered a digest first (`specs/authorship.md`): anybody may ask, as nobody. */
import { ApiError, send } from "./client";
import type { components } from "./schema";

export type Registration = components["schemas"]["AuthorshipView"];

/** The first registration of a digest, or null. */
export async function firstWith(digest: string): Promise<Registration | null> {
  try {
    const answer = await send(`/api/authorship/${digest}`, { asNobody: true, accept: "application/json" });
    return (await answer.json()) as Registration;
  } catch (cause) {
    if (cause instanceof ApiError && cause.status === 404) return null;
    throw cause;
  }
}
