import { PetitError } from "../error.ts";
import { type AccessStore, type Credential, type OwnAccess, ownAccessSchema } from "./access.ts";
import type { SqliteDatabase } from "./sqlite_database.ts";

interface CredentialRow {
  id: string;
  registration: number | null;
  kind: Credential["kind"];
  user: string;
  label: string;
  hash: string;
  created_at: number;
  expires_at: number | null;
}

/** Who may call, in the registry's own file. */
export class SqliteAccess implements AccessStore {
  readonly #db: SqliteDatabase;
  readonly #known: (id: string) => unknown;

  /** @param known throws where there is no such registration */
  constructor(db: SqliteDatabase, known: (id: string) => unknown) {
    this.#db = db;
    this.#known = known;
  }

  rules(): ReadonlyMap<string, OwnAccess | "damaged"> {
    const rows = this.#db.all<{ id: number; rule: string }>("SELECT id, rule FROM access_rules");
    // Many say the same, and checking each would take a second for 10,000.
    const known = new Map<string, OwnAccess | "damaged">();
    for (const { rule } of rows) if (!known.has(rule)) known.set(rule, parsed(rule));
    return new Map(rows.map(({ id, rule }) => [String(id), known.get(rule) as OwnAccess | "damaged"]));
  }

  rule(id: string): OwnAccess | "damaged" | undefined {
    this.#known(id);
    const row = this.#db.get<{ rule: string }>("SELECT rule FROM access_rules WHERE id = ?", Number(id));
    return row && parsed(row.rule);
  }

  setRule(id: string, rule: OwnAccess | null): void {
    this.#db.transaction(() => {
      this.#known(id);
      if (rule === null || Object.keys(rule).length === 0) {
        this.#db.run("DELETE FROM access_rules WHERE id = ?", Number(id));
      } else this.#db.run("INSERT OR REPLACE INTO access_rules VALUES (?, ?)", Number(id), JSON.stringify(rule));
    });
  }

  credentials(): Credential[] {
    return this.#db.all<CredentialRow>("SELECT * FROM credentials ORDER BY created_at, id").map(fromRow);
  }

  add(credential: Credential): void {
    const { id, registration, kind, user, label, hash, createdAt, expiresAt } = credential;
    this.#db.transaction(() => {
      if (registration !== null) this.#known(registration);
      const number = registration === null ? null : Number(registration);
      const taken = kind === "basic" && this.#db.get(
            "SELECT 1 FROM credentials WHERE kind = 'basic' AND user = ? AND registration IS ?",
            ...[user, number],
          ) !== undefined;
      if (taken) {
        throw new PetitError("user-taken", `There is a user "${user}" already`, {
          hint: "Revoke that one first, or choose another name",
        });
      }
      this.#db.run(
        "INSERT INTO credentials (id, registration, kind, user, label, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        ...[id, number, kind, user, label, hash, createdAt, expiresAt],
      );
    });
  }

  revoke(id: string): Credential {
    return this.#db.transaction(() => {
      const row = this.#db.get<CredentialRow>("SELECT * FROM credentials WHERE id = ?", id);
      if (row === undefined) throw new PetitError("credential-unknown", `There is no credential "${id.slice(0, 40)}"`);
      this.#db.run("DELETE FROM credentials WHERE id = ?", id);
      return fromRow(row);
    });
  }
}

function fromRow({ registration, created_at: createdAt, expires_at: expiresAt, ...row }: CredentialRow): Credential {
  return { ...row, registration: registration === null ? null : String(registration), createdAt, expiresAt };
}

function parsed(text: string): OwnAccess | "damaged" {
  try {
    return ownAccessSchema.parse(JSON.parse(text));
  } catch {
    return "damaged";
  }
}
