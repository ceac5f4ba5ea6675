import { Buffer } from "node:buffer";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PetitError } from "../error.ts";
import { writeStateFile } from "../platform/state_file.ts";
import { fingerprintOf, type PublicKey } from "../tunnel/keys.ts";

/**
 * The server's host key as this client knows it: one line in OpenSSH's known_hosts format, beside the config. It is
 * written once, when a join code has vouched for the key, and never again without one.
 */
export class KnownHost {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = join(folder, "known_hosts");
  }

  /** Keeps the host key of a server. */
  pin(host: string, port: number, key: PublicKey): void {
    writeStateFile(this.#file, `${nameOf(host, port)} ${key.line}\n`);
  }

  /** Keeps the host key of a server, and those of others too until `pin` is called. */
  add(host: string, port: number, key: PublicKey): void {
    const others = this.#known.filter(([name]) => name !== nameOf(host, port)).map((parts) => `${parts.join(" ")}\n`);
    writeStateFile(this.#file, `${nameOf(host, port)} ${key.line}\n${others.join("")}`);
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
            "Someone may be impersonating the server. If its operator says that the key was replaced, register again with a new join code",
        },
      );
    }
  }

  /** Name, type and blob of each key. */
  get #known(): string[][] {
    const lines = this.pinned ? readFileSync(this.#file, "utf8").split("\n") : [];
    return lines.map((line) => line.trim().split(/\s+/)).filter((parts) =>
      parts.length >= 3 && !parts[0]?.startsWith("#")
    );
  }
}

function nameOf(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`;
}
