import { type Background, freePort, output } from "../world/processes.ts";
import { type Scope, temporaryFolder } from "../world/temporary_folder.ts";
import { bothOutputs } from "./both_outputs.ts";
import { program } from "./peer_test.ts";

/** A Redis of its own on loopback, which keeps nothing on disk. */
export interface Redis {
  readonly port: number;
  /** "redis://127.0.0.1:PORT" */
  readonly url: string;
  readonly process: Background;
  /** Runs one command of Redis by redis-cli; returns what that prints. */
  readonly command: (...words: string[]) => Promise<string>;
}

export async function startRedis(scope: Scope): Promise<Redis> {
  const port = await freePort();
  const settings = { port: String(port), bind: "127.0.0.1", save: "", appendonly: "no", dir: temporaryFolder(scope) };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const redis = bothOutputs(scope, program("redis-server"), args);
  await redis.line((line) => line.includes("Ready to accept connections"));
  const command = (...words: string[]) =>
    output(program("redis-cli"), ["-h", "127.0.0.1", "-p", String(port), ...words]);
  return { port, url: `redis://127.0.0.1:${port}`, process: redis, command };
}
