/** Locks what is open when nobody did anything for a while. */

const KEPT = "symbolon.lock-minutes";
const MINUTES = 15;
const SIGNS = ["pointerdown", "keydown", "wheel", "touchstart"] as const;

class Idle {
  minutes = $state(stored());
  #last = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Calls `lock` once, after so many minutes without a sign of anybody; also where the machine slept meanwhile. */
  watch(lock: () => void): void {
    this.stop();
    this.#last = Date.now();
    for (const sign of SIGNS) addEventListener(sign, this.#sign, { passive: true, capture: true });
    this.#timer = setInterval(() => {
      if (Date.now() - this.#last < this.minutes * 60_000) return;
      this.stop();
      lock();
    }, 5_000);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const sign of SIGNS) removeEventListener(sign, this.#sign, { capture: true });
  }

  set(minutes: number): void {
    this.minutes = minutes;
    localStorage.setItem(KEPT, String(minutes));
  }

  readonly #sign = () => {
    this.#last = Date.now();
  };
}

function stored(): number {
  const minutes = Number(localStorage.getItem(KEPT));
  return Number.isInteger(minutes) && minutes >= 1 && minutes <= 720 ? minutes : MINUTES;
}

export const idle = new Idle();
