import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { startExecutables } from "../world/executable.ts";
import { freePort } from "../world/ports.ts";
import { Background, output } from "../world/processes.ts";
import { temporaryFolder } from "../world/world.ts";
import { databaseAccount, giveTo } from "./accounts.ts";
import { peerTest, program } from "./peer_test.ts";
import { sha256 } from "./sha256.ts";

const NEEDS = ["mariadb-install-db", "mariadbd", "mariadb", "mariadb-dump", "bash"];

/** A MariaDB server of its own behind petit; `sql` and `bash` reach it through the reverse port. */
async function startMariadb(t: TestContext) {
  const user = await databaseAccount("mysql");
  const started: Background[] = [];
  // Before the folder goes.
  t.after(() => started[0]?.stop());
  const folder = temporaryFolder(t);
  giveTo(user, folder);
  const data = join(folder, "data");
  const options = { user, cwd: folder };
  await output(program("mariadb-install-db"), [
    "--no-defaults",
    `--datadir=${data}`,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
  ], options);
  const port = await freePort();
  const server = new Background(program("mariadbd"), [
    "--no-defaults",
    `--datadir=${data}`,
    `--socket=${join(folder, "socket")}`,
    `--pid-file=${join(folder, "pid")}`,
    "--bind-address=127.0.0.1",
    `--port=${port}`,
    "--skip-name-resolve",
    "--innodb-buffer-pool-size=256M",
    "--innodb-log-file-size=256M",
    "--innodb-flush-log-at-trx-commit=0",
  ], options);
  started.push(server);
  await server.line((line) => line.includes("ready for connections"));
  const { rawPort } = await startExecutables(t, port);
  const where = [
    "--protocol=tcp",
    "--host=127.0.0.1",
    `--port=${rawPort}`,
    "--user=root",
    "--default-character-set=utf8mb4",
  ];
  // Two dumps of the same rows are the same bytes.
  const dump = [program("mariadb-dump"), "--no-defaults", "--skip-dump-date", "--skip-comments", "--order-by-primary"];
  return {
    folder,
    sql: (text: string) =>
      output(program("mariadb"), ["--no-defaults", ...where, "--batch", "--skip-column-names"], { input: text }),
    /** Runs a line of shell in which $MARIADB and $DUMP are the programs with all that they need to connect. */
    bash: (line: string) =>
      output(program("bash"), ["-o", "pipefail", "-c", line], {
        cwd: folder,
        env: {
          MARIADB: [program("mariadb"), "--no-defaults", ...where].join(" "),
          DUMP: [...dump, ...where].join(" "),
        },
      }),
  };
}

peerTest("a database of 100 MB is dumped and restored through the reverse port without a change", NEEDS, async (t) => {
  const { sql, bash, folder } = await startMariadb(t);
  // 100,000 rows with a kilobyte each of bytes of every value.
  await sql(`
    CREATE DATABASE original; CREATE DATABASE copy; USE original;
    CREATE TABLE items (id INT PRIMARY KEY, name VARCHAR(80), content BLOB NOT NULL) ENGINE=InnoDB;
    INSERT INTO items SELECT seq, CONCAT('Stück ', seq), RANDOM_BYTES(1000) FROM seq_1_to_100000;`);
  assert.equal(await sql("SELECT COUNT(*), SUM(LENGTH(content)) FROM original.items"), "100000\t100000000\n");
  await bash("$DUMP original > first.sql");
  await bash("$MARIADB copy < first.sql");
  const [original, copy] = (await sql("CHECKSUM TABLE original.items, copy.items EXTENDED")).trim().split("\n");
  assert.equal(copy?.split("\t")[1], original?.split("\t")[1]);
  await bash("$DUMP copy > second.sql");
  assert.equal(await sha256(join(folder, "second.sql")), await sha256(join(folder, "first.sql")));
});
