import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { removeStateFile, writeStateFile } from "../platform/state_file.ts";
import { tenantFolder } from "./state.ts";
import { tenantNames } from "./tenants.ts";

const pauseFile = z.object({ since: z.iso.datetime() });

/** The file by whose presence a client, or one tenant of it, is paused; a tenant's goes with its folder. */
function fileOf(folder: string, tenant: string | undefined): string {
  return join(tenant === undefined ? folder : tenantFolder(folder, tenant), "paused");
}

/** Since when it is paused (ISO 8601), undefined where it is not. A file that cannot be read pauses all the same. */
export function readPause(folder: string, tenant?: string): string | undefined {
  const file = fileOf(folder, tenant);
  const { mtime } = statSync(file, { throwIfNoEntry: false }) ?? {};
  if (mtime === undefined) return undefined;
  try {
    return pauseFile.parse(JSON.parse(readFileSync(file, "utf8"))).since;
  } catch {
    return mtime.toISOString();
  }
}

/** @throws PetitError `state-unwritable` */
export function writePause(folder: string, tenant: string | undefined, since: string): void {
  writeStateFile(fileOf(folder, tenant), `${JSON.stringify({ since })}\n`);
}

/** @throws PetitError `state-unwritable` */
export function removePause(folder: string, tenant: string | undefined): void {
  removeStateFile(fileOf(folder, tenant));
}

/** The pause switch of a running client: what is paused, and since when (ISO 8601). Kept over restarts. */
export class Pause {
  readonly #folder: string;
  #all: string | undefined;
  readonly #tenants = new Map<string, string>();

  constructor(folder: string) {
    this.#folder = folder;
    this.#all = readPause(folder);
    this.refresh();
  }

  /** Of the whole client. */
  get all(): string | undefined {
    return this.#all;
  }

  /** Tenants that are paused by themselves. */
  get tenants(): readonly string[] {
    return [...this.#tenants.keys()].sort();
  }

  /** Of a tenant by itself. */
  of(tenant: string): string | undefined {
    return this.#tenants.get(tenant);
  }

  /** Forgets tenants that are gone, and hears of those that were paused beside this process. Nothing is resumed by it. */
  refresh(): void {
    const names = tenantNames(this.#folder);
    for (const name of this.#tenants.keys()) if (!names.includes(name)) this.#tenants.delete(name);
    for (const name of names) {
      const since = this.#tenants.has(name) ? undefined : readPause(this.#folder, name);
      if (since !== undefined) this.#tenants.set(name, since);
    }
    this.#all ??= readPause(this.#folder);
  }

  /**
   * Pauses a tenant, or the client. It is in force when this returns or throws.
   * @throws PetitError `state-unwritable`: it would not be kept over a restart
   */
  pause(tenant: string | undefined, now = new Date()): void {
    const since = (tenant === undefined ? this.#all : this.#tenants.get(tenant)) ?? now.toISOString();
    if (tenant === undefined) this.#all = since;
    else this.#tenants.set(tenant, since);
    writePause(this.#folder, tenant, since);
  }

  /** Resumes a tenant, or the client but for the tenants that are paused by themselves. @throws PetitError `state-unwritable`: nothing has changed */
  resume(tenant: string | undefined): void {
    removePause(this.#folder, tenant);
    if (tenant === undefined) this.#all = undefined;
    else this.#tenants.delete(tenant);
  }
}
