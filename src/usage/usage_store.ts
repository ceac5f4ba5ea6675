import { PetitError } from "../error.ts";
import { RecordDatabase } from "../observe/record_database.ts";
import { UsageFigures } from "./usage_figures.ts";

/** The figures of one registration in one time bucket. */
export interface UsageEntry {
  /** Empty for requests that name no registration. */
  readonly id: string;
  readonly brand: string;
  /** Its beginning, in milliseconds since 1970. */
  readonly bucket: number;
  readonly figures: UsageFigures;
}

/** A registration that was made. */
export interface RegisterEvent {
  readonly id: string;
  readonly brand: string;
  /** In milliseconds since 1970. */
  readonly at: number;
}

const FIGURES = "connections INTEGER NOT NULL, bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL, " +
  "outcomes TEXT NOT NULL, errors TEXT NOT NULL, latency TEXT NOT NULL";

/**
 * The time comes first in the keys: what is written at a time lies together, and what is too old goes as one piece. The
 * totals of a brand are kept beside, since adding up ten thousand registrations for each question would hold the server.
 */
const LAYOUT = `
  CREATE TABLE usage (bucket INTEGER, id TEXT, brand TEXT, ${FIGURES}, PRIMARY KEY (bucket, id, brand))
    STRICT, WITHOUT ROWID;
  CREATE TABLE totals (bucket INTEGER, brand TEXT, ${FIGURES}, PRIMARY KEY (bucket, brand)) STRICT, WITHOUT ROWID;
  CREATE TABLE registers (id TEXT, brand TEXT, at INTEGER NOT NULL, PRIMARY KEY (id, brand)) STRICT, WITHOUT ROWID;
  CREATE INDEX registers_by_time ON registers (at);`;

interface FiguresRow {
  connections: number;
  bytes_in: number;
  bytes_out: number;
  outcomes: string;
  errors: string;
  latency: string;
}

/** The usage record in one SQLite file. Every call is synchronous, and throws what SQLite says. */
export class UsageStore {
  readonly #db: RecordDatabase;

  /** Opens the file at `path`, making it if needed. @throws PetitError `usage-newer`, or what SQLite says */
  constructor(path: string) {
    this.#db = new RecordDatabase(path, {
      sql: LAYOUT,
      newer: () => new PetitError("usage-newer", "The usage record was written by a newer petit"),
    });
  }

  /**
   * Adds entries to what is there, as one transaction, until `enough` says so.
   *
   * @returns how many were written, from the first on
   */
  add(entries: Iterable<UsageEntry>, enough: () => boolean): number {
    let written = 0;
    this.#db.transaction(() => {
      const totals = new Map<string, UsageEntry>();
      for (const entry of entries) {
        const { bucket, id, brand, figures } = entry;
        const stored = this.#read("SELECT * FROM usage WHERE bucket = ? AND id = ? AND brand = ?", bucket, id, brand);
        if (stored !== undefined) stored.merge(figures);
        this.#db.run(
          `INSERT OR REPLACE INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          bucket,
          id,
          brand,
          ...toRow(stored ?? figures),
        );
        const key = `${bucket} ${brand}`;
        const total = totals.get(key);
        if (total !== undefined) total.figures.merge(figures);
        else {
          const merged = this.#read("SELECT * FROM totals WHERE bucket = ? AND brand = ?", bucket, brand) ??
            new UsageFigures();
          merged.merge(figures);
          totals.set(key, { ...entry, figures: merged });
        }
        written++;
        if (enough()) break;
      }
      for (const { bucket, brand, figures } of totals.values()) {
        this.#db.run("INSERT OR REPLACE INTO totals VALUES (?, ?, ?, ?, ?, ?, ?, ?)", bucket, brand, ...toRow(figures));
      }
    });
    return written;
  }

  /** Writes down registrations; one that is known keeps its time. */
  addRegisters(events: readonly RegisterEvent[]): void {
    this.#db.transaction(() => {
      for (const { id, brand, at } of events) {
        this.#db.run("INSERT OR IGNORE INTO registers VALUES (?, ?, ?)", id, brand, at);
      }
    });
  }

  /** The buckets that begin from `start` to `end` and hold anything, in order. */
  buckets(start: number, end: number): number[] {
    return this.#db.all<{ bucket: number }>(
      "SELECT DISTINCT bucket FROM totals WHERE bucket BETWEEN ? AND ? ORDER BY bucket",
      ...[start, end],
    ).map(({ bucket }) => bucket);
  }

  /** What is stored of a registration in one bucket, under all brands it had. */
  usage(bucket: number, id: string): UsageFigures[] {
    return this.#db.all<FiguresRow>("SELECT * FROM usage WHERE bucket = ? AND id = ?", bucket, id).map(fromRow);
  }

  /** What is stored of a brand in one bucket; of all brands where it is null. */
  totals(bucket: number, brand: string | null): UsageFigures[] {
    const rows = brand === null
      ? this.#db.all<FiguresRow>("SELECT * FROM totals WHERE bucket = ?", bucket)
      : this.#db.all<FiguresRow>("SELECT * FROM totals WHERE bucket = ? AND brand = ?", bucket, brand);
    return rows.map(fromRow);
  }

  /** How many registrations of a brand, or of all, were made from `start` to `end`. */
  registers(start: number, end: number, brand: string | null): number {
    return this.#db.get<{ count: number }>(
      "SELECT count(*) AS count FROM registers WHERE at BETWEEN ? AND ? AND (? IS NULL OR brand = ?)",
      ...[start, end, brand, brand],
    )?.count ?? 0;
  }

  /** Deletes up to `limit` rows of buckets that begin before `before`; false when there are no more. */
  forget(before: number, limit: number): boolean {
    let deleted = 0;
    this.#db.transaction(() => {
      const oldest = `(SELECT bucket, id, brand FROM usage WHERE bucket < ? ORDER BY bucket, id, brand LIMIT ?)`;
      deleted = this.#db.run(`DELETE FROM usage WHERE (bucket, id, brand) IN ${oldest}`, before, limit);
      if (deleted === limit) return;
      this.#db.run("DELETE FROM totals WHERE bucket < ?", before);
      this.#db.run("DELETE FROM registers WHERE at < ?", before);
    });
    return deleted === limit;
  }

  close(): void {
    this.#db.close();
  }

  #read(sql: string, ...values: (string | number)[]): UsageFigures | undefined {
    const row = this.#db.get<FiguresRow>(sql, ...values);
    return row && fromRow(row);
  }
}

function toRow(figures: UsageFigures): (string | number)[] {
  const { connections, bytesIn, bytesOut, outcomes, errors, latency } = figures;
  return [connections, bytesIn, bytesOut, ...[outcomes, errors, latency].map((counts) => JSON.stringify([...counts]))];
}

function fromRow(row: FiguresRow): UsageFigures {
  const figures = new UsageFigures(counts(row.outcomes), counts(row.errors), counts(row.latency));
  figures.connections = row.connections;
  figures.bytesIn = row.bytes_in;
  figures.bytesOut = row.bytes_out;
  return figures;
}

/** Counts as they were written; none where the disk has damaged them, since one row must not keep others from being written. */
function counts<Key>(text: string): [Key, number][] {
  try {
    return JSON.parse(text) as [Key, number][];
  } catch {
    return [];
  }
}
