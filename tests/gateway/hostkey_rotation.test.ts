import assert from "node:assert/strict";
import { copyFileSync, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { PetitError } from "../../src/error.ts";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { readHostKey } from "../../src/server/host_key.ts";
import { finishingSteps } from "../../src/server/host_key_files.ts";
import type { HostKeys } from "../../src/server/host_keys.ts";
import { eventually } from "../world/eventually.ts";
import { exchange, statusOf } from "../world/raw_http.ts";
import { makeWorld, TestClient, TestServer, type World } from "../world/world.ts";

const service = (socket: import("node:net").Socket) =>
  void socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"));

const keysOf = ({ running }: TestServer): HostKeys => running.control.hostKeys;

/** The keys that a client has pinned, by their fingerprints. */
function pinnedBy({ folder, config }: TestClient): string[] {
  const name = `[${config.client.host}]:${config.client.port}`;
  const lines = readFileSync(join(folder, "known_hosts"), "utf8").trim().split("\n");
  assert.ok(lines.every((line) => line.startsWith(`${name} ssh-ed25519 `)), lines.join("\n"));
  return lines;
}

const fileOf = ({ config }: TestServer) => config.server.ssh.hostKey;
const lineOf = (file: string) => readHostKey(file).publicKey.line;

async function answers({ proxyPort, id }: World): Promise<void> {
  const request = `GET / HTTP/1.1\r\nHost: ${id}.example.com\r\nConnection: close\r\n\r\n`;
  assert.equal(statusOf(await exchange(proxyPort, request)), 200);
}

/** Ends the tunnel of a client, and waits until it is back. */
async function reconnect({ server, client, id }: World): Promise<void> {
  const before = client.log.length;
  server.running.control.disconnect(id);
  await eventually("the client is back", () => client.log.slice(before).some((line) => line["endpoint"] !== undefined));
}

function refused(code: string, work: () => void, message?: RegExp): void {
  assert.throws(work, (error: unknown) => {
    assert.ok(error instanceof PetitError, String(error));
    assert.equal(error.code, code);
    if (message !== undefined) assert.match(error.message, message);
    return true;
  });
}

test("the next host key is pinned by a client that is connected, and takes over without a gap", async (t) => {
  const world = await makeWorld(t, service);
  const { server, client } = world;
  const file = fileOf(server);
  const [before] = pinnedBy(client);
  const tunnel = server.running.control.tunnels()[0];

  keysOf(server).rotate();
  await keysOf(server).settle(10_000);
  const next = readHostKey(`${file}.next`).publicKey;
  assert.deepEqual(pinnedBy(client), [before, `[127.0.0.1]:${server.running.sshPort} ${next.line}`]);
  if (process.platform !== "win32") {
    for (const secret of [join(client.folder, "known_hosts"), `${file}.next`]) {
      assert.equal(statSync(secret).mode & 0o777, 0o600, secret);
    }
  }
  const { next: shown } = keysOf(server).status();
  assert.deepEqual([shown?.fingerprint, shown?.aware, shown?.unaware], [next.fingerprint, 1, []]);

  const former = lineOf(file);
  keysOf(server).finish(false);
  assert.deepEqual([lineOf(file), lineOf(`${file}.former`)], [next.line, former]);
  assert.equal(existsSync(`${file}.next`), false);
  assert.ok(readFileSync(`${file}.pub`, "utf8").startsWith(next.line));
  assert.deepEqual(server.running.control.tunnels()[0], tunnel, "the tunnel that stood goes on");
  await answers(world);

  await reconnect(world);
  await answers(world);
  // The former key is not offered any more.
  await client.logged(({ msg }) => msg.includes("forgotten"));
  assert.deepEqual(pinnedBy(client), [`[127.0.0.1]:${server.running.sshPort} ${next.line}`]);
  assert.equal(client.log.some(({ level }) => level === "error"), false);
});
