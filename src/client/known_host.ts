import { Buffer } from "node:buffer";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PetitError } from "../error.ts";
import { writeStateFile } from "../platform/state_file.ts";
import { fingerprintOf, type PublicKey } from "../tunnel/keys.ts";

/**
 * The server's host key as this client knows it: a line in OpenSSH's known_hosts format, beside the config. It is written when a join code has
 * vouched for the key; from then on only a key that is in it can vouch for others (keep_host_keys.ts).
 */
export class KnownHost {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = join(folder, "known_hosts");
  }

  /** Keeps the host key of a server, and no others but those that it has vouched for. @param others servers that it vouches for, with all their keys */
  pin(host: string, port: number, key: PublicKey, others: readonly KnownServer[] = []): void {
    writeStateFile(this.#file, `${this.#linesWith(host, port, key)}${linesOf(others)}`);
  }

  /** Keeps the host key of a server, and those of others too until `pin` is called. */
  add(host: string, port: number, key: PublicKey, others: readonly KnownServer[] = []): void {
    const names = [{ host, port }, ...others].map(({ host, port }) => nameOf(host, port));
    const kept = this.#known.filter(([name]) => !names.includes(name as string)).map((parts) => `${parts.join(" ")}\n`);
    writeStateFile(this.#file, `${this.#linesWith(host, port, key)}${linesOf(others)}${kept.join("")}`);
  }

  /**
   * Takes over what a server says of its own host keys; all other lines stay as they are.
   *
   * @param vouching the key that the server has proven when it was connected to: nothing is changed where it is not pinned any more
   * @param proven keys that the server has, to be added
   * @param offered all keys that it says it has: those that are pinned and not among them are taken out
   * @returns what was changed
   * @throws PetitError `state-unwritable`
   */
  follow(
    host: string,
    port: number,
    vouching: PublicKey,
    proven: readonly PublicKey[],
    offered: readonly PublicKey[],
  ): { added: PublicKey[]; removed: string[] } {
    const name = nameOf(host, port);
    const pinned = this.#known.filter(([known]) => known === name).map(([, type, blob]) => `${type} ${blob}`);
    if (!pinned.includes(vouching.line)) return { added: [], removed: [] };
    const added = proven.filter(({ line }) => !pinned.includes(line));
    const gone = pinned.filter((line) => line !== vouching.line && !offered.some((key) => key.line === line));
    if (added.length + gone.length === 0) return { added, removed: [] };
    const stays = (line: string) => {
      const [known, type, blob] = line.trim().split(/\s+/);
      return line.trim() !== "" && !(known === name && gone.includes(`${type} ${blob}`));
    };
    const lines = readFileSync(this.#file, "utf8").split("\n").filter(stays);
    writeStateFile(this.#file, `${[...lines, ...added.map(({ line }) => `${name} ${line}`)].join("\n")}\n`);
    return { added, removed: gone.map((line) => fingerprintOf(Buffer.from(line.split(" ")[1] as string, "base64"))) };
  }

  /** Whether one of the keys here has that fingerprint ("SHA256:…"), of whatever server. */
  knows(fingerprint: string): boolean {
    return this.#known.some(([, , blob]) => fingerprintOf(Buffer.from(blob as string, "base64")) === fingerprint);
  }

  /** The fingerprints of the keys that are pinned for a server. */
  of(host: string, port: number): string[] {
    const here = this.#known.filter(([name]) => name === nameOf(host, port));
    return here.map(([, , blob]) => fingerprintOf(Buffer.from(blob as string, "base64")));
  }

  /** Whether a key is pinned at all. */
  get pinned(): boolean {
    return existsSync(this.#file);
  }

  /** Refuses any key but the pinned one. @throws PetitError `host-key-unknown` or `host-key-mismatch` */
  check(host: string, port: number, key: PublicKey): void {
    const here = this.#known.filter(([name]) => name === nameOf(host, port));
    if (here.length === 0) {
      throw new PetitError("host-key-unknown", `No host key is known for ${host}:${port}`, {
        hint: "Register with a join code of that server; the code vouches for its key",
      });
    }
    if (!here.some(([, type, blob]) => `${type} ${blob}` === key.line)) {
      throw new PetitError(
        "host-key-mismatch",
        `${host}:${port} shows another host key (${key.fingerprint}) than the one pinned here`,
        {
          hint:
            "Someone may be impersonating the server. If its operator says that the key was replaced while this client was away, register again with a new join code",
        },
      );
    }
  }

  /** The line of that key, and those of the keys that it has vouched for: the server's others, where it is known already. */
  #linesWith(host: string, port: number, key: PublicKey): string {
    const name = nameOf(host, port);
    const here = this.#known.filter(([known]) => known === name).map(([, type, blob]) => `${type} ${blob}`);
    const lines = here.includes(key.line) ? here : [key.line];
    return lines.map((line) => `${name} ${line}\n`).join("");
  }

  /** Name, type and blob of each key. */
  get #known(): string[][] {
    const lines = this.pinned ? readFileSync(this.#file, "utf8").split("\n") : [];
    return lines.map((line) => line.trim().split(/\s+/)).filter((parts) =>
      parts.length >= 3 && !parts[0]?.startsWith("#")
    );
  }
}

/** An SSH server and its host keys. */
export interface KnownServer {
  readonly host: string;
  readonly port: number;
  readonly keys: readonly PublicKey[];
}

function linesOf(servers: readonly KnownServer[]): string {
  return servers.flatMap(({ host, port, keys }) => keys.map(({ line }) => `${nameOf(host, port)} ${line}\n`)).join("");
}

function nameOf(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`;
}
