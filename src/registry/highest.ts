import type { Highest } from "./high_water_mark.ts";
import type { SqliteDatabase } from "./sqlite_database.ts";

/** The highest id and port that this registry knows to have been given away. */
export function highestOf(db: SqliteDatabase): Highest {
  const value = (what: keyof Highest) =>
    db.get<{ value: number }>("SELECT value FROM highest WHERE what = ?", what)?.value as number;
  return { id: value("id"), port: value("port") };
}

/** Keeps what is lower from being given away; it never gets lower itself. */
export function raiseHighest(db: SqliteDatabase, { id, port }: Highest): void {
  const raise = "UPDATE highest SET value = max(value, ?) WHERE what = ?";
  db.run(raise, id, "id");
  db.run(raise, port, "port");
}
