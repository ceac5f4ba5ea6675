import { existsSync } from "node:fs";
import process from "node:process";
import { AUDIT_EVENTS } from "../../audit/audit_event.ts";
import type { ChainedEntry } from "../../audit/audit_chain.ts";
import { AuditStore } from "../../audit/audit_store.ts";
import { auditPath } from "../../audit/open_audit.ts";
import { verifyAudit } from "../../audit/verify_audit.ts";
import { closest } from "../../closest.ts";
import { loadConfig } from "../../config/load.ts";
import { messageOf, PetitError } from "../../error.ts";
import type { Invocation } from "../commands/command.ts";
import { printable } from "../../text_width.ts";
import { momentText } from "../../time_text.ts";
import { configFile, textValue } from "../values.ts";

/** Milliseconds to wait for a server that writes at the same moment. */
const PATIENCE = 5000;

/** Entries that are shown where nobody says how many. */
const SHOWN = 50;

/** Entries that are read at a time. */
const PAGE = 1000;

/** Shows the last entries, in the order in which they were written. */
export function serverAudit(invocation: Invocation): number {
  const limit = invocation.values["all"] === true ? Infinity : linesWanted(textValue(invocation, "lines"));
  const event = knownEvent(textValue(invocation, "event"));
  return withStore(invocation, (store) => {
    const show = invocation.values["json"] === true ? jsonLine : textLine;
    if (limit === Infinity) {
      for (let page = store.page(0, PAGE); page.length > 0; page = store.page(page.at(-1)?.seq ?? 0, PAGE)) {
        const wanted = event === undefined ? page : page.filter((entry) => entry.event === event);
        process.stdout.write(wanted.map(show).join(""));
      }
    } else process.stdout.write(store.latest(limit, undefined, event).reverse().map(show).join(""));
    return 0;
  });
}

/** Reckons the chain anew; exit code 1 where it is broken. */
export function auditVerify(invocation: Invocation): number {
  const known = notedHead(textValue(invocation, "head"));
  return withStore(invocation, (store) => {
    const { entries, first, head, fault } = verifyAudit(store, known);
    if (invocation.values["json"] === true) {
      process.stdout.write(`${JSON.stringify({ whole: fault === null, entries, first, head, fault })}\n`);
    } else if (fault === null) {
      process.stdout.write(
        `The audit log is whole: entries ${first} to ${head.seq}.\n` +
          (known === undefined ? "" : `It still holds the head that was noted, ${known.seq}:${known.hash}\n`) +
          `Its head is ${head.seq}:${head.hash}\n` +
          "Keep that elsewhere: --head tells later whether the log still begins like this.\n",
      );
    } else process.stderr.write(`petit: The audit log is broken at entry ${fault.seq}: ${fault.message}\n`);
    return fault === null ? 0 : 1;
  });
}

function withStore(invocation: Invocation, work: (store: AuditStore) => number): number {
  const path = auditPath(loadConfig(configFile(invocation)).config.server);
  if (path === undefined) {
    throw new PetitError("audit-off", 'No audit log is kept: [server] auditUrl is ""');
  }
  if (!existsSync(path)) {
    throw new PetitError("audit-missing", `There is no audit log "${path}"`, {
      hint: "The server makes it at its first start; if there was one, somebody has taken it away",
    });
  }
  let store: AuditStore | undefined;
  try {
    store = new AuditStore(path, Date.now, PATIENCE);
    return work(store);
  } catch (error) {
    if (error instanceof PetitError) throw error;
    throw new PetitError("audit-unusable", `The audit log "${path}" cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    store?.close();
  }
}

function jsonLine({ seq, at, event, facts, hash }: ChainedEntry): string {
  return `{"seq":${seq},"at":${at},"event":${JSON.stringify(event)},"facts":${facts},"hash":"${hash}"}\n`;
}

function textLine({ seq, at, event, facts }: ChainedEntry): string {
  const told = Object.entries(JSON.parse(facts) as Record<string, unknown>)
    .map(([name, value]) => `${name}=${typeof value === "string" ? quoted(value) : JSON.stringify(value)}`);
  return `${printable(`${seq}  ${momentText(at)}  ${event}  ${told.join(" ")}`.trimEnd())}\n`;
}

function quoted(text: string): string {
  return /^[\w.:/+=-]+$/.test(text) ? text : JSON.stringify(text);
}

function linesWanted(typed: string | undefined): number {
  if (typed === undefined) return SHOWN;
  const lines = Number(typed);
  if (/^\d{1,9}$/.test(typed) && lines > 0) return lines;
  throw new PetitError("usage", `"${typed}" is not a number for --lines`, {
    hint: "Wanted: a whole number from 1",
    exitCode: 2,
  });
}

function knownEvent(typed: string | undefined): string | undefined {
  if (typed === undefined || AUDIT_EVENTS.some((event) => event === typed)) return typed;
  const nearest = closest(typed, AUDIT_EVENTS);
  throw new PetitError("usage", `"${typed}" is not an event of the audit log`, {
    hint: nearest === undefined ? `Events are ${AUDIT_EVENTS.join(", ")}` : `Did you mean "${nearest}"`,
    exitCode: 2,
  });
}

function notedHead(typed: string | undefined): { seq: number; hash: string } | undefined {
  if (typed === undefined) return undefined;
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(typed.trim()) ?? [];
  if (seq !== undefined && hash !== undefined) return { seq: Number(seq), hash };
  throw new PetitError("usage", `"${typed}" is not a head of an audit log`, {
    hint: 'Wanted: the number and the hash that "petit server audit verify" printed, such as 1234:9f86d0…',
    exitCode: 2,
  });
}
