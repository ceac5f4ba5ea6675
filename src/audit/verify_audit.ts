import { type ChainedEntry, chainHash } from "./audit_chain.ts";
import type { AuditStore } from "./audit_store.ts";

/** What a look at the whole log came to. */
export interface AuditVerdict {
  /** How many entries there are. */
  readonly entries: number;
  /** The place of the first one; more than 1 where older ones have been pruned. */
  readonly first: number;
  /** The last entry: to be kept elsewhere, so that it can be told later whether the log still begins like this. */
  readonly head: { readonly seq: number; readonly hash: string };
  /** The first thing that is wrong; null where nothing is. */
  readonly fault: AuditFault | null;
}

export interface AuditFault {
  /** The place of the entry. */
  readonly seq: number;
  /** A sentence without its full stop. */
  readonly message: string;
}

/** Entries that are read at a time. */
const PAGE = 1000;

/**
 * Reckons the chain of hashes anew, from the first entry to the last.
 *
 * @param known a head that was noted earlier, which has to be in the log still
 */
export function verifyAudit(store: AuditStore, known?: { readonly seq: number; readonly hash: string }): AuditVerdict {
  return store.atOnce(() => {
    const { anchor } = store;
    let { seq, hash } = anchor;
    let fault: AuditFault | null = null;
    const wrong = (at: number, message: string) => fault ??= { seq: at, message };
    let pruned = anchor.seq === 0;
    let knownHash = known === undefined || known.seq === anchor.seq ? hash : undefined;
    let entries = 0;
    for (let page = store.page(0, PAGE); page.length > 0 && fault === null; page = store.page(seq, PAGE)) {
      for (const entry of page) {
        entries++;
        if (entry.seq !== seq + 1) {
          wrong(entry.seq, `Entry ${seq + 1} is missing`);
          break;
        }
        if (chainHash(hash, entry) !== entry.hash) {
          wrong(entry.seq, `Entry ${entry.seq} is not what was written, or one before it has been replaced`);
          break;
        }
        ({ seq, hash } = entry);
        if (seq === known?.seq) knownHash = hash;
        if (entry.event === "log-pruned") pruned ||= tellsOf(entry, anchor);
      }
    }
    if (fault === null && !pruned) wrong(anchor.seq, `No entry says that those up to ${anchor.seq} were pruned`);
    if (fault === null && known !== undefined && knownHash !== known.hash) {
      const message = seq < known.seq
        ? `The log ends at entry ${seq}: what was written up to entry ${known.seq} is gone`
        : known.seq < anchor.seq
        ? `Entry ${known.seq} has been pruned, so that nothing can be said of it`
        : `Entry ${known.seq} has another hash than the one that was noted`;
      wrong(known.seq, message);
    }
    return { entries, first: anchor.seq + 1, head: { seq, hash }, fault };
  });
}

function tellsOf({ facts }: ChainedEntry, anchor: { seq: number; hash: string }): boolean {
  try {
    const { through, hash } = JSON.parse(facts) as { through?: unknown; hash?: unknown };
    return through === anchor.seq && hash === anchor.hash;
  } catch {
    return false;
  }
}
