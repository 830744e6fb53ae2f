/** A note as it is written: its text, what of it is saved, and how it gets there. */
import { failed, type Failed } from "./load.svelte";
import { vault, type Item } from "./vault.svelte";

export class Editor {
  title = $state("");
  body = $state("");
  item = $state.raw<Item | undefined>();
  error = $state.raw<Failed | undefined>();
  /** Why the last save failed; what was written stays in the fields. */
  unsaved = $state.raw<Failed | undefined>();
  /** The version beside the note that has what was written, where it was another one by then. */
  moved = $state<string>();
  #stamp = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(readonly id: string) {}

  /** Whether something is written that is not saved. It is asked behind the end of the view too. */
  get dirty(): boolean {
    return this.item !== undefined && (this.title.trim() !== this.item.row.title || this.body !== this.item.body);
  }

  /** Reads the note; what is being written is not written over. */
  async load(): Promise<void> {
    try {
      const item = await vault.ask("item", { id: this.id });
      const isWriting = this.dirty;
      this.error = undefined;
      if (isWriting && this.item) {
        // Marks and links are those of now; the text stays what its writer began with.
        this.item = { ...item, body: this.item.body, row: { ...item.row, title: this.item.row.title } };
        return;
      }
      this.item = item;
      [this.title, this.body, this.#stamp] = [item.row.title, item.body, item.stamp];
    } catch (cause) {
      if (!this.item) this.error = failed(cause);
    }
  }

  typed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.save(), AFTER_TYPING_MS);
  }

  /** One after another: each builds on what the one before saved. */
  save(): Promise<void> {
    clearTimeout(this.#timer);
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  async #save(): Promise<void> {
    const { item } = this;
    if (!item || !this.dirty || this.moved) return;
    const [title, body] = [this.title.trim(), this.body];
    try {
      const written = await vault.act("write", { id: this.id, base: this.#stamp, title, body });
      this.unsaved = undefined;
      if (written.copy) {
        this.moved = written.copy;
        return;
      }
      this.#stamp = written.stamp;
      this.item = { ...item, body, row: { ...item.row, title } };
      await this.load();
    } catch (cause) {
      this.unsaved = failed(cause);
      this.#timer = setTimeout(() => void this.save(), AGAIN_MS);
    }
  }

  end(): void {
    clearTimeout(this.#timer);
    void this.save();
  }
}

const AFTER_TYPING_MS = 700;
const AGAIN_MS = 5000;
