/** The first id and the first reverse port that a registry gives away. */
export const FIRST_ID = 1001;
const FIRST_PORT = 11081;

/** The layout of the database; `PRAGMA user_version` says how many of these have been applied. */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE registrations (
     id INTEGER PRIMARY KEY,
     port INTEGER NOT NULL UNIQUE,
     key TEXT NOT NULL,
     fingerprint TEXT NOT NULL,
     brand TEXT NOT NULL,
     vitae TEXT,
     created_at INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX registrations_of_key ON registrations (fingerprint);
   CREATE TABLE aliases (
     alias TEXT PRIMARY KEY,
     id INTEGER NOT NULL REFERENCES registrations (id) ON DELETE CASCADE
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE join_codes (
     hash TEXT PRIMARY KEY,
     brand TEXT NOT NULL,
     uses_left INTEGER NOT NULL CHECK (uses_left >= 0),
     expires_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE join_uses (
     hash TEXT NOT NULL,
     fingerprint TEXT NOT NULL,
     id INTEGER NOT NULL,
     PRIMARY KEY (hash, fingerprint)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE highest (what TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   INSERT INTO highest VALUES ('id', ${FIRST_ID - 1}), ('port', ${FIRST_PORT - 1});`,
  // Tenants; join codes that can be listed; and what was given back, for the key that had it.
  `ALTER TABLE registrations ADD COLUMN tenant TEXT NOT NULL DEFAULT 'default';
   ALTER TABLE join_codes ADD COLUMN uses INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE join_codes ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
   CREATE TABLE join_uses_of_tenants (
     hash TEXT NOT NULL,
     fingerprint TEXT NOT NULL,
     tenant TEXT NOT NULL,
     id INTEGER NOT NULL,
     PRIMARY KEY (hash, fingerprint, tenant)
   ) STRICT, WITHOUT ROWID;
   INSERT INTO join_uses_of_tenants SELECT hash, fingerprint, 'default', id FROM join_uses;
   DROP TABLE join_uses;
   ALTER TABLE join_uses_of_tenants RENAME TO join_uses;
   CREATE TABLE released (
     id INTEGER PRIMARY KEY,
     port INTEGER NOT NULL,
     fingerprint TEXT NOT NULL
   ) STRICT;`,
  // Where a client wants its reverse port bound, so that a server that starts can bind it before the client is back.
  "ALTER TABLE registrations ADD COLUMN bind_address TEXT;",
  // Who may call. Nothing refers to registrations: one that is given back and comes again must not come back open.
  `CREATE TABLE access_rules (
     id INTEGER PRIMARY KEY,
     rule TEXT NOT NULL
   ) STRICT;
   CREATE TABLE credentials (
     id TEXT PRIMARY KEY,
     registration INTEGER,
     kind TEXT NOT NULL CHECK (kind IN ('bearer', 'basic')),
     user TEXT NOT NULL,
     label TEXT NOT NULL,
     hash TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     expires_at INTEGER
   ) STRICT, WITHOUT ROWID;`,
  // By fingerprint of a client's key: which host key of the server it is known to have pinned beside the one that it connects with.
  `CREATE TABLE host_keys_known (
     fingerprint TEXT PRIMARY KEY,
     host_key TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  // Of clients of 0.6.x. Those that were imported before this was kept show it by their keys: later clients make no RSA keys.
  `ALTER TABLE registrations ADD COLUMN legacy INTEGER NOT NULL DEFAULT 0;
   UPDATE registrations SET legacy = 1 WHERE key GLOB 'ssh-rsa *' AND (vitae IS NULL OR vitae GLOB '*"version":"0.6*');`,
];
