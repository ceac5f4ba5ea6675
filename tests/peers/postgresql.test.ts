import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { startExecutables } from "../world/executable.ts";
import { freePort } from "../world/ports.ts";
import { Background, output } from "../world/processes.ts";
import { temporaryFolder } from "../world/world.ts";
import { databaseAccount, giveTo } from "./accounts.ts";
import { peerTest, program } from "./peer_test.ts";

const NEEDS = ["initdb", "postgres", "psql", "pgbench"];

/** A PostgreSQL server of its own behind petit; `psql` and `pgbench` reach it through the reverse port. */
async function startPostgres(t: TestContext) {
  const user = await databaseAccount("postgres");
  const started: Background[] = [];
  // A fast shutdown, before the folder goes.
  t.after(() => started[0]?.stop("SIGINT"));
  const folder = temporaryFolder(t);
  giveTo(user, folder);
  const data = join(folder, "data");
  await output(
    program("initdb"),
    ["-D", data, "-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
    { user, cwd: folder },
  );
  const port = await freePort();
  const settings = ["listen_addresses=127.0.0.1", `unix_socket_directories=${folder}`, "fsync=off"];
  const args = ["-D", data, "-p", String(port), ...settings.flatMap((setting) => ["-c", setting])];
  const server = new Background(program("postgres"), args, { user, cwd: folder });
  started.push(server);
  await server.line((line) => line.includes("ready to accept connections"));
  const { rawPort } = await startExecutables(t, port);
  const env = { PGHOST: "127.0.0.1", PGPORT: String(rawPort), PGUSER: "owner", PGDATABASE: "postgres" };
  return {
    psql: (input: string, ...args: string[]) =>
      output(program("psql"), ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", ...args], { input, env }),
    pgbench: (...args: string[]) => output(program("pgbench"), args, { env }),
  };
}

peerTest("psql queries and a transaction go through the reverse port", NEEDS, async (t) => {
  const { psql } = await startPostgres(t);
  assert.equal(await psql("SELECT 6 * 7; SELECT 'grüße';"), "42\ngrüße\n");
  await psql("CREATE TABLE things (name text)");
  await psql(
    "BEGIN; INSERT INTO things VALUES ('undone'); ROLLBACK; BEGIN; INSERT INTO things VALUES ('done'); COMMIT;",
  );
  assert.equal(await psql("SELECT name FROM things"), "done\n");
  await assert.rejects(psql("SELECT no_such_column"), /column "no_such_column" does not exist/);
});

peerTest("a COPY of several megabytes comes back from PostgreSQL as it was sent", NEEDS, async (t) => {
  const { psql } = await startPostgres(t);
  const rows = Array.from(
    { length: 100_000 },
    (_, i) => `${i}\t${createHash("sha256").update(String(i)).digest("hex")}`,
  );
  const text = `${rows.join("\n")}\n`;
  await psql("CREATE TABLE copied (id int PRIMARY KEY, hash text)");
  await psql(text, "-c", "COPY copied FROM STDIN");
  const back = await psql("", "-c", "COPY (SELECT * FROM copied ORDER BY id) TO STDOUT");
  assert.equal(back.length, text.length);
  assert.ok(back === text, "the rows came back changed");
});

peerTest("pgbench ends with no failed transaction, and its sums agree", NEEDS, async (t) => {
  const { pgbench, psql } = await startPostgres(t);
  await pgbench("-i", "-q", "-s", "1");
  const kept = await pgbench("-n", "-c", "4", "-j", "2", "-t", "250");
  assert.match(kept, /number of transactions actually processed: 1000\/1000\n/);
  assert.match(kept, /number of failed transactions: 0 /);
  // A connection of its own for each transaction.
  const fresh = await pgbench("-n", "-C", "-c", "4", "-j", "2", "-t", "25");
  assert.match(fresh, /number of transactions actually processed: 100\/100\n/);
  assert.match(fresh, /number of failed transactions: 0 /);
  const sums = await psql(`
    SELECT count(*), sum(delta) = (SELECT sum(abalance) FROM pgbench_accounts),
           sum(delta) = (SELECT sum(bbalance) FROM pgbench_branches),
           sum(delta) = (SELECT sum(tbalance) FROM pgbench_tellers)
      FROM pgbench_history;`);
  assert.equal(sums, "1100|t|t|t\n");
});
