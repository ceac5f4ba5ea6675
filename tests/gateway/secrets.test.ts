import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import test from "node:test";
import { register } from "../../src/client/register.ts";
import { startClient } from "../../src/client/start_client.ts";
import { type OpenLog, openLog } from "../../src/observe/open_log.ts";
import { startServer } from "../../src/server/start_server.ts";
import { encodeJoinCode, type JoinCode } from "../../src/tunnel/join_code.ts";
import { startService, TestClient, TestServer } from "../world/world.ts";

/** All that is said, at every level. */
const openEverything = (folder: string, name: "server" | "client") =>
  openLog({ level: "trace", name, folder: join(folder, "logs"), maxSize: 1024 * 1024, maxFiles: 1, stderr: false });

/** The lines of a private key in PEM that say something. */
const keyLines = (pem: string) => pem.split("\n").filter((line) => line.length > 40 && !line.startsWith("-----"));

function ask(port: number, id: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { host: `${id}.localhost`, authorization: "Bearer caller-token", cookie: "session=caller-cookie" };
    const sent = request({ host: "127.0.0.1", port, method: "POST", path: "/?key=caller-key", headers }, (answer) => {
      answer.resume();
      answer.on("close", () => resolve(answer.statusCode));
    });
    sent.on("error", reject);
    sent.end("caller-body");
  });
}

test("no join code, password, private key or token gets into a log, at any level", async (t) => {
  const server = new TestServer(t);
  const opened = openEverything(server.folder, "server");
  const stop = new AbortController();
  server.running = await startServer(server.config.server, opened.log, stop.signal);
  t.after(async () => {
    stop.abort();
    await server.running.closed;
  });
  server.log.push(...opened.tail.last().map((line) => JSON.parse(line)));
  const good = server.joinCode();
  const wrong: JoinCode = { ...good, secret: "c2VjcmV0LW9mLW5vYm9keQ" };

  // A service that breaks off: what goes wrong is what is logged.
  const service = await startService(t, (socket) => socket.on("data", () => socket.destroy()));
  const client = new TestClient(t, server, service.port);
  const own = openEverything(client.folder, "client");
  const { config: { client: config }, folder } = client;
  const registering = { config, folder, tenant: "default", signal: AbortSignal.timeout(10_000) };
  await assert.rejects(register({ ...registering, joinCode: wrong }), { code: "join-code-unknown" });
  const { registeredId } = await register({ ...registering, joinCode: good });
  await assert.rejects(register({ ...registering, tenant: "other", joinCode: good }), { code: "join-code-used" });
  const running = startClient(config, folder, own.log, stop.signal);
  await running.connected;
  assert.equal(await ask(server.running.proxyPort, registeredId), 502);
  stop.abort();
  await Promise.all([running.closed, server.running.closed]);
  await Promise.all([opened.close(), own.close()]);

  const said = [textOf(opened, server.folder, "server"), textOf(own, folder, "client")].join("\n");
  assert.match(said, /logged in/);
  assert.match(said, /login-failed/);
  assert.ok(said.includes(`Registered ${registeredId}`));
  const secrets = {
    "a join secret": [good.secret, wrong.secret],
    "a join code": [encodeJoinCode(good), encodeJoinCode(wrong)],
    "the client's private key": keyLines(readFileSync(join(folder, "key"), "utf8")),
    "the private host key": keyLines(readFileSync(server.config.server.ssh.hostKey, "utf8")),
    "what a caller sends": ["caller-token", "caller-cookie", "caller-key", "caller-body"],
  };
  for (const [what, texts] of Object.entries(secrets)) {
    assert.ok(texts.length > 1);
    for (const text of texts) assert.equal(said.includes(text), false, `${what} is in a log`);
  }
});

function textOf({ tail }: OpenLog, folder: string, name: string): string {
  const text = readFileSync(join(folder, "logs", `${name}.log`), "utf8");
  assert.equal(text, `${tail.last().join("\n")}\n`);
  return text;
}
