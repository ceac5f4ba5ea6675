import type { ServerConfig } from "../../config/schema.ts";
import { messageOf, type PetitError } from "../../error.ts";
import type { Log } from "../../observe/log.ts";
import type { OnceAMinute } from "../../observe/once_a_minute.ts";
import { byId } from "../../registry/registration_id.ts";
import type { Registration } from "../../registry/registry.ts";
import type { Routes } from "../routes.ts";
import { AuthorizedKeys } from "./authorized_keys.ts";
import { blobOf, isSound, readKeyLine } from "../../tunnel/keys.ts";
import { fittingLine, keyLine } from "./key_line.ts";
import type { Repaired } from "./repair_lines.ts";
import { type ReservedPorts, reservedPorts } from "./reserved_ports.ts";
import type { SshdAccount } from "./sshd_account.ts";

/** Milliseconds between two looks at the file. */
const LOOK_EVERY = 500;

/** Milliseconds for a file that others change to stay as it is, before it is put right; and the same for one that is changed again and again. */
const SETTLED = 300;
const FOUGHT_OVER = 60_000;

/** Repairs within a minute after which another program is taken to change the file back each time. */
const MAX_REPAIRS = 10;

/** Ids that a line of the log names. */
const MAX_TOLD = 10;

export interface KeptKeysParts {
  readonly config: ServerConfig;
  readonly account: SshdAccount;
  readonly routes: Routes;
  readonly log: Log;
  readonly noise: OnceAMinute;
}

/** Keeps the keys of all registrations in the authorized_keys file of the system's sshd, and nobody else's out of it. */
export class KeptKeys {
  readonly #parts: KeptKeysParts;
  readonly #file: AuthorizedKeys;
  #wanted = new Map<string, string>();
  /** Which keys of registrations can be trusted. */
  #sound: ReadonlyMap<string, boolean> = new Map();
  /** What the file looked like when it was right last. */
  #stamp: string | undefined;
  #changedAt = -Infinity;
  #changed = "";
  #repairs: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: KeptKeysParts) {
    this.#parts = parts;
    this.#file = new AuthorizedKeys(parts.account.authorizedKeys, parts.account);
  }

  /** @throws PetitError `authorized-keys-unusable` */
  start(): void {
    this.#wanted = this.#linesWanted();
    this.#tell(this.#repair());
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Takes up what has changed among the registrations; at once, since a client that has just registered logs in next. */
  follow(): void {
    const wanted = this.#linesWanted();
    if (sameMap(wanted, this.#wanted)) return;
    this.#wanted = wanted;
    this.#repairSafely();
  }

  #linesWanted(): Map<string, string> {
    const { config, routes } = this.#parts;
    const byKey = new Map<string, Registration[]>();
    for (const registration of routes.all) {
      const others = byKey.get(registration.key);
      if (others === undefined) byKey.set(registration.key, [registration]);
      else others.push(registration);
    }
    const everywhere = config.ssh.gatewayPorts === "clientspecified";
    const reserved = reservedPorts(config);
    const sound = new Map<string, boolean>();
    const lines = new Map<string, string>();
    for (const [key, registrations] of byKey) {
      registrations.sort(byId);
      const { isSound, listed } = this.#allowed(key, registrations, everywhere, reserved);
      sound.set(key, isSound);
      if (listed.length > 0) lines.set(key, keyLine({ key, registrations: listed }, everywhere, config.backPort));
    }
    this.#sound = sound;
    return lines;
  }

  /** Which of a key's registrations sshd may serve; what is left out is told of. */
  #allowed(
    key: string,
    registrations: readonly Registration[],
    everywhere: boolean,
    reserved: ReservedPorts,
  ): { readonly isSound: boolean; readonly listed: readonly Registration[] } {
    const { fingerprint } = registrations[0] as Registration;
    // Reading a key takes long where there are thousands.
    const sound = this.#sound.get(key) ?? isSoundLine(key);
    if (!sound) {
      this.#leaveOut("key-unsound", fingerprint, registrations, "the key is too short, or none that petit knows");
      return { isSound: false, listed: [] };
    }
    const open = registrations.filter(({ port }) => !reserved.has(port));
    const listed = fittingLine(open, everywhere);
    const taken = registrations.filter(({ port }) => reserved.has(port));
    if (taken.length > 0) {
      const ports = taken.map(({ port }) => port).join(", ");
      this.#leaveOut(
        "port-reserved",
        fingerprint,
        taken,
        `the ports of this machine's own services are not theirs: ${ports}`,
      );
    }
    if (listed.length < open.length) {
      this.#leaveOut("key-line-full", fingerprint, open.slice(listed.length), "sshd takes no more for one key");
    }
    return { isSound: true, listed };
  }

  #leaveOut(code: string, key: string, registrations: readonly Registration[], why: string): void {
    const { log, noise, account } = this.#parts;
    const ids = registrations.slice(0, MAX_TOLD).map(({ id }) => id);
    const count = registrations.length;
    noise.tellOf(code, key, (repeated) =>
      log.warn(
        { code, key, ids, count, repeated },
        `${
          count === 1 ? `Registration ${ids[0]} is` : `${count} registrations of a key are`
        } left out of "${account.authorizedKeys}": ${why}`,
      ));
  }

  #repair(): Repaired {
    const repaired = this.#file.repair(this.#wanted);
    this.#stamp = this.#file.stamp;
    return repaired;
  }

  #repairSafely(): void {
    try {
      this.#tell(this.#repair());
    } catch (error) {
      // It is tried again with the next look.
      this.#stamp = undefined;
      this.#tellUnusable(error);
    }
  }

  #tellUnusable(error: unknown): void {
    const { log, noise } = this.#parts;
    const { code, hint } = error as PetitError;
    noise.tell("authorized-keys", (repeated) => log.error({ code, hint, repeated }, messageOf(error)));
  }

  /** Whether somebody else has changed the file, and is done with it. */
  #look(): void {
    const { log, noise } = this.#parts;
    const now = performance.now();
    let stamp: string;
    try {
      ({ stamp } = this.#file);
    } catch (error) {
      return this.#tellUnusable(error);
    }
    if (stamp === this.#stamp) return;
    if (stamp !== this.#changed || this.#changedAt === -Infinity) {
      this.#changed = stamp;
      this.#changedAt = now;
    }
    this.#repairs = this.#repairs.filter((at) => now - at < FOUGHT_OVER);
    const fought = this.#repairs.length >= MAX_REPAIRS;
    if (now - this.#changedAt < (fought ? FOUGHT_OVER : SETTLED)) return;
    this.#changedAt = -Infinity;
    this.#repairs.push(now);
    if (fought) {
      noise.tell("authorized-keys-fought", (repeated) =>
        log.warn(
          { code: "authorized-keys-fought", repeated },
          `Another program keeps changing petit's lines in "${this.#file.file}": they are put right once a minute only`,
        ));
    }
    this.#repairSafely();
  }

  #tell({ written, removed, foreign }: Repaired): void {
    const { log, noise } = this.#parts;
    const { file } = this.#file;
    if (written + removed > 0) log.info({ file, written, removed }, `The keys in "${file}" were brought up to date`);
    for (const [key, line] of foreign) {
      noise.tell(`foreign-key ${key}`, (repeated) =>
        log.warn(
          {
            code: "authorized-keys-foreign",
            line,
            repeated,
            hint: "Remove that line, if it is not there for a reason",
          },
          `Line ${line} of "${file}" is not petit's, and lets in a key that is registered: sshd goes by the first line with a key, and what petit's allows may not be what counts`,
        ));
    }
  }
}

/** Whether a key is one that petit lets in itself: sshd takes shorter ones of RSA. */
function isSoundLine(key: string): boolean {
  const read = readKeyLine(key);
  return read !== undefined && isSound(blobOf(read));
}

function sameMap(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([key, value]) => other.get(key) === value);
}
