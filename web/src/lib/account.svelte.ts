/** The account that is signed in here, and whether its vault is open. */
import * as api from "../api/account";
import { ApiError } from "../api/client";
import { MethodError, type Method } from "../methods/method";
import { recovery } from "../methods/recovery";
import type { VaultOverview } from "../worker/account.protocol";
import { ask, end } from "../worker/core";
import { idle } from "./idle.svelte";
import { beginLeaving, forgetVault, giveUpLeaving, leaving } from "./leaving";
import { failed, type Failed } from "./load.svelte";
import { owner } from "./owner.svelte";
import { hear, tell } from "./tabs";
import { nameOfCode } from "./ways";

/** `asking`: not known yet; `none`: the server has no accounts. */
export type AccountState = "asking" | "none" | "signed-out" | "locked" | "open";

class Account {
  state = $state.raw<AccountState>("asking");
  session = $state.raw<api.Session>();
  /** The vault, while it is open. */
  vault = $state.raw<VaultOverview>();
  /** The recovery code of a vault that was just made, until it was written down. */
  phrase = $state.raw<string>();
  /** A dangerous act waits until somebody shows who they are. */
  asked = $state.raw<{ yes: () => void; no: () => void }>();
  /** The vault has another data key since it was opened here: it has to be opened anew. */
  isStale = $state(false);
  /** What is done while the keys are still here, before they are wiped. */
  readonly leaving = new Set<() => Promise<unknown>>();
  /** Whether that code could not be made a way to sign in. */
  codeFailed = $state(false);
  /** Why a vault did not open after its account was signed in to. */
  problem = $state.raw<Failed>();
  /** The account that was here is deleted, until somebody has read so. */
  isDeleted = $state(false);

  /** Whether somebody is signed in here. */
  get isHere(): boolean {
    return this.state === "locked" || this.state === "open";
  }

  /** Opens the vault anew, where its data key was changed elsewhere. What was not sent yet stays. */
  async reopen(method: Method): Promise<void> {
    await this.confirmBy(method);
    const vault = await api.vault();
    await method.bring(vault.id, false);
    this.vault = await ask("account.unlock", { view: vault.text });
    await ask("vault.rekey", {});
    this.isStale = false;
  }

  /** Finds out who is here. */
  async enter(): Promise<void> {
    try {
      this.session = await api.session();
      this.state = "locked";
      // Whoever is signed in has an account: no deletion came to anything.
      giveUpLeaving();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // A server without accounts knows agents' keys alone.
      this.state = error.status === 401 && error.code !== "no_key" ? "signed-out" : "none";
      if (this.state === "signed-out") this.#left();
    }
  }

  /** Makes a vault and an account, with this way in beside a recovery code. */
  async signUp(method: Method): Promise<void> {
    const { vault, phrase } = await ask("account.create", {});
    try {
      const proved = await method.prove("sign-up");
      await method.bring(vault, true);
      const made = await ask("account.enrol", {});
      this.session = await api.signUp({ ...proved, name: method.name, vault: made });
    } catch (error) {
      end();
      throw error;
    }
    await this.#addCode();
    // A broker has one owner's account: a second vault of its owner is a vault and no more.
    await owner.join(this.session.csrf).catch(() => undefined);
    this.phrase = phrase;
    this.#opened(await ask("account.overview", {}));
  }

  /** The code of a new vault signs in too. Where that fails the vault is made all the same: the list of ways says
   * that the code opens only, and makes another. */
  async #addCode(): Promise<void> {
    try {
      await ask("custody.code", { isNew: false });
      const wrap = (await ask("account.overview", {})).wraps.find(({ method }) => method === "recovery");
      await api.addCredential({ ...(await recovery(undefined).prove("add")), name: nameOfCode(wrap?.id ?? "") });
    } catch (error) {
      console.info("The recovery code does not sign in yet.", failed(error).code);
    }
  }

  /** Signs in where nobody is, and opens the vault. */
  async unlock(method: Method): Promise<void> {
    const isIn = this.state !== "signed-out";
    this.problem = undefined;
    if (isIn) await this.confirmBy(method);
    else this.session = await api.signIn(await method.prove("sign-in"));
    try {
      const vault = await api.vault();
      await method.bring(vault.id, false);
      this.#opened(await ask("account.unlock", { view: vault.text }));
    } catch (error) {
      if (isIn) throw error;
      // Signed in, and not open: whoever asked is not shown any more.
      this.problem = failed(error);
      this.state = "locked";
      return;
    }
    if (this.session) await owner.enterAs(this.session.csrf).catch(() => undefined);
  }

  /** Asks who is here once more, where it was not asked within the last minutes. Every dangerous act waits for it.
   * Rejects where nobody answers. */
  confirm(): Promise<void> {
    // Half a minute is left for the act itself.
    if ((this.session?.confirmed_until_unix_ms ?? 0) > Date.now() + 30_000) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.asked = {
        yes: () => {
          this.asked = undefined;
          resolve();
        },
        no: () => {
          this.asked = undefined;
          reject(new MethodError("cancelled", "Nothing was changed.", "It needs you to show once more who you are."));
        },
      };
    });
  }

  /** Starts the Worker, so that its core is there when it is asked something that somebody waits for. */
  warm(): void {
    void ask("core.warm", {}).catch(() => undefined);
  }

  /** Shows who is here: for five minutes dangerous acts are allowed. */
  async confirmBy(method: Method): Promise<void> {
    this.session = await api.confirm(await method.prove("confirm"));
  }

  /** Wipes the keys and ends the Worker. The session stays. */
  async lock(): Promise<void> {
    if (this.state !== "open") return;
    const late = new Promise((done) => setTimeout(done, LEAVING_MS));
    await Promise.race([Promise.allSettled([...this.leaving].map((leave) => leave())), late]);
    this.#forget("locked");
    await ask("account.lock", {}).catch(() => undefined);
    end();
  }

  async signOut(): Promise<void> {
    await this.lock();
    await api.signOut();
    if (owner.who.is === "owner") await owner.leave().catch(() => owner.forget(undefined));
    this.#gone();
  }

  /** Deletes the account at the server, and what this browser has of it. */
  async delete(): Promise<void> {
    await this.confirm();
    const { id } = await api.vault();
    beginLeaving(id);
    try {
      await api.deleteAccount();
    } catch (error) {
      const { code, status } = error as Partial<ApiError>;
      if (code === "no_session") return;
      if (status !== 0) {
        giveUpLeaving();
        throw error;
      }
      throw new MethodError("unusable", "The server did not answer: the account may be deleted, or not.", "Try again; where it is gone, that is seen then.");
    }
    tell({ what: "deleted", vault: id });
    this.#gone();
  }

  /** Another tab deleted the account. */
  deleted(vault: string): void {
    if (!this.isHere || (this.vault && this.vault.vault !== vault)) return;
    beginLeaving(vault);
    this.#gone();
  }

  /** Forgets what is kept of an account that is deleted, and says so. */
  #left(): void {
    const vault = leaving();
    if (!vault) return;
    this.isDeleted = true;
    forgetVault(vault).catch((error: unknown) => console.info("The sealed copy was not forgotten.", failed(error).code));
  }

  #opened(vault: VaultOverview): void {
    this.vault = vault;
    this.state = "open";
    idle.watch(() => void this.lock());
  }

  #forget(state: AccountState): void {
    idle.stop();
    [this.state, this.vault, this.phrase, this.problem, this.isStale] = [state, undefined, undefined, undefined, false];
    this.asked?.no();
  }

  /** The session is over, here or because another tab or device ended it. */
  gone(): void {
    if (this.isHere) this.#gone();
  }

  #gone(): void {
    this.#forget("signed-out");
    this.session = undefined;
    end();
    this.#left();
  }
}

/** As long as locking waits for what is being kept. */
const LEAVING_MS = 2000;

export const account = new Account();

api.gone.addEventListener("gone", () => account.gone());
hear(({ what, vault }) => what === "deleted" && account.deleted(vault));
