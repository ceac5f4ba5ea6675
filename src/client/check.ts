import { messageOf, PetitError } from "../error.ts";
import { CheckContext } from "./check_context.ts";
import { fileChecks } from "./check_files.ts";
import { serverChecks } from "./check_server.ts";
import { tenantChecks } from "./check_tenant.ts";

/** What one check found. */
export interface CheckItem {
  /**
   * Stable: "config", "folder", "key", "key-mode", "registration", "clock", "name", "gateway", "host-key-pinned", "ssh", "host-key", "login", "server"; for each
   * tenant "registered" and "service".
   */
  readonly name: string;
  /** The tenant that it is about; null where it is about the client. */
  readonly tenant: string | null;
  /** "skipped": what it needs has failed. */
  readonly state: "ok" | "warning" | "failed" | "skipped";
  /** What was found, for people; sentence case, no full stop. */
  readonly detail: string;
  /** Stable name of what is wrong. */
  readonly code?: string;
  /** What can be done about it. */
  readonly hint?: string;
}

export interface CheckReport {
  /** Nothing has failed. */
  readonly ok: boolean;
  readonly items: readonly CheckItem[];
}

/** One check of a set-up. What is wrong is thrown as a PetitError; a {@link Warning} does not make the whole a failure. */
export interface Check {
  readonly name: string;
  /** Names of the checks without which it has no sense. */
  readonly needs: readonly string[];
  readonly tenant?: string;
  /** What there is to say where all is well. */
  run(context: CheckContext): Promise<string> | string;
}

/** Something that works, but should be looked at. */
export class Warning extends PetitError {}

export interface CheckOptions {
  /** The config file. */
  readonly file: string;
  /** Only this tenant. */
  readonly tenant?: string;
  readonly signal: AbortSignal;
  /** Told of each item as it is found. */
  onItem?(item: CheckItem): void;
}

/** Checks a client's set-up from the config file to its services. Changes nothing, and does not disturb a daemon that runs. */
export async function checkClient(options: CheckOptions): Promise<CheckReport> {
  const context = new CheckContext(options.file, options.tenant, options.signal);
  const items: CheckItem[] = [];
  const bad = new Set<string>();
  const run = async (checks: readonly Check[]) => {
    for (const check of checks) {
      const item = await itemOf(check, context, bad);
      // What is wrong with one tenant does not keep the others from being looked at.
      const key = check.tenant === undefined ? check.name : `${check.name} ${check.tenant}`;
      if (item.state === "failed" || item.state === "skipped") bad.add(key);
      items.push(item);
      options.onItem?.(item);
    }
  };
  try {
    await run(fileChecks);
    await run(serverChecks);
    await run(tenantChecks(context));
  } finally {
    context.close();
  }
  return { ok: items.every(({ state }) => state === "ok" || state === "warning"), items };
}

async function itemOf(check: Check, context: CheckContext, bad: ReadonlySet<string>): Promise<CheckItem> {
  const { name, tenant = null } = check;
  const missing = check.needs.find((need) => bad.has(need) || bad.has(`${need} ${tenant}`));
  if (missing !== undefined) return { name, tenant, state: "skipped", detail: `Needs "${missing}" to be right` };
  try {
    return { name, tenant, state: "ok", detail: await check.run(context) };
  } catch (error) {
    const { code, hint } = error instanceof PetitError ? error : { code: "internal", hint: undefined };
    return {
      ...{ name, tenant, state: error instanceof Warning ? "warning" : "failed", detail: messageOf(error), code },
      ...(hint === undefined ? {} : { hint }),
    };
  }
}
