import type { Log } from "../../observe/log.ts";
import type { Registration } from "../../registry/registry.ts";

/** How often their number is looked at, and told at most, in milliseconds: a site changes its clients over weeks. */
const LOOK_EVERY = 600_000;

/** How often it is told though nothing has changed. */
const TELL_EVERY = 24 * 3_600_000;

/** Clients that a line names. */
const MOST_NAMED = 100;

/** Whether the client of a registration was one of petit 0.6.x when it was here last, or has not been here since its registration was imported. */
export function isOldClient({ legacy, vitae }: Pick<Registration, "legacy" | "vitae">): boolean {
  return legacy && (vitae === null || vitae.version.startsWith("0."));
}

/** The ids of the clients that are still old, by their keys; and how many clients there are at all. */
export function countOldClients(registrations: Iterable<Registration>): { old: string[][]; total: number } {
  const old = new Map<string, string[]>();
  const keys = new Set<string>();
  for (const registration of registrations) {
    const { id, fingerprint } = registration;
    keys.add(fingerprint);
    if (isOldClient(registration)) old.set(fingerprint, [...old.get(fingerprint) ?? [], id]);
  }
  return { old: [...old.values()], total: keys.size };
}

export interface OldClientsParts {
  registrations(): Iterable<Registration>;
  readonly log: Log;
  /** Milliseconds; `performance.now` by default. */
  readonly now?: () => number;
}

/** Tells the log how many clients are still of petit 0.6.x: at the start, when that changes, but not at once again, and once a day. */
export class OldClients {
  readonly #parts: OldClientsParts;
  readonly #now: () => number;
  #told = "";
  #toldAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: OldClientsParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
  }

  start(): void {
    this.look();
    this.#timer = setInterval(() => this.look(), LOOK_EVERY).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Takes a look now: a client of 0.6.x has come. */
  look(): void {
    const { old, total } = countOldClients(this.#parts.registrations());
    const named = old.map((ids) => ids.join("+"));
    const what = named.join();
    const now = this.#now();
    const again = what === this.#told ? TELL_EVERY : LOOK_EVERY;
    if (now - this.#toldAt < again || (what === "" && this.#told === "")) return;
    this.#told = what;
    this.#toldAt = now;
    const ids = old.flat().slice(0, MOST_NAMED);
    const shown = named.slice(0, MOST_NAMED).join(", ") + (named.length > MOST_NAMED ? ", …" : "");
    this.#parts.log.info(
      { code: "old-clients", count: old.length, total, ids },
      old.length === 0
        ? "No client is one of petit 0.6 any more: [server] legacyBackchannel need not be true"
        : `${old.length} of ${total} clients are still of petit 0.6: ${shown}`,
    );
  }
}
