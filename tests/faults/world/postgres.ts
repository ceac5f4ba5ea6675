import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { databaseAccount, giveTo } from "../../peers/accounts.ts";
import { program } from "../../peers/peer_test.ts";
import { freePort } from "../../world/ports.ts";
import { Background, output } from "../../world/processes.ts";
import { type Scope, temporaryFolder } from "../../world/world.ts";
import type { Killable } from "./kill_world.ts";

/** Programs of PostgreSQL that tests need. */
export const POSTGRES = ["initdb", "postgres", "psql", "pgbench"];

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** A PostgreSQL server of its own, which can be killed in the middle of everything, and started again. */
export class Postgres implements Killable {
  readonly port: number;
  readonly #folder: string;
  readonly #user: Account | undefined;
  #process!: Background;

  private constructor(scope: Scope, port: number, user: Account | undefined) {
    // A fast shutdown, before the folder goes.
    scope.after(() => this.#process?.stop("SIGINT"));
    this.port = port;
    this.#user = user;
    this.#folder = temporaryFolder(scope);
  }

  static async start(scope: Scope): Promise<Postgres> {
    const postgres = new Postgres(scope, await freePort(), await databaseAccount("postgres"));
    await postgres.#init();
    await postgres.start();
    return postgres;
  }

  async start(): Promise<void> {
    const folder = this.#folder;
    const settings = [
      "listen_addresses=127.0.0.1",
      `unix_socket_directories=${folder}`,
      "fsync=off",
      "max_connections=50",
    ];
    const args = ["-D", join(folder, "data"), "-p", String(this.port), ...settings.flatMap((one) => ["-c", one])];
    for (let tries = 0;; tries++) {
      this.#process = new Background(program("postgres"), args, { ...this.#as });
      try {
        await this.#process.line((line) => line.includes("ready to accept connections"));
        return;
      } catch (error) {
        // Children of a server that was killed hold its memory for a moment longer.
        if (tries === 20) throw error;
        await sleep(200);
      }
    }
  }

  /** Of the server alone: its children end when they notice. */
  async kill(): Promise<void> {
    await this.#process.stop("SIGKILL");
  }

  /** What SQL prints, without a tunnel. */
  async ask(sql: string): Promise<string> {
    const env = this.environment(this.port);
    return (await output(program("psql"), ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"], { input: sql, env }))
      .trim();
  }

  /** Variables with which its programs reach it on a port of 127.0.0.1. */
  environment(port: number): Record<string, string> {
    return { PGHOST: "127.0.0.1", PGPORT: String(port), PGUSER: "owner", PGDATABASE: "postgres" };
  }

  get #as(): { user: Account | undefined; cwd: string } {
    return { user: this.#user, cwd: this.#folder };
  }

  async #init(): Promise<void> {
    giveTo(this.#user, this.#folder);
    const args = ["-U", "owner", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
    await output(program("initdb"), ["-D", join(this.#folder, "data"), ...args], { ...this.#as });
  }
}
