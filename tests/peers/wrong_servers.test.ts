import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { encodeJoinCode, newJoinSecret } from "../../src/tunnel/join_code.ts";
import { generateKey, publicKeyOf } from "../../src/tunnel/keys.ts";
import { configure, petit } from "../world/executable.ts";
import { freePort } from "../world/ports.ts";
import { background, type Finished, output } from "../world/processes.ts";
import { listenOn, startService, temporaryFolder } from "../world/world.ts";
import { peerTest, program } from "./peer_test.ts";

const someFingerprint = () => generateKey("nobody").publicKey.fingerprint;

/** Runs `petit client register` with a join code that names a server. */
async function registerWith(
  t: TestContext,
  host: string,
  port: number,
  hostKeyFingerprint = someFingerprint(),
): Promise<Finished> {
  const folder = temporaryFolder(t);
  const config = join(folder, "config.toml");
  const env = { HOME: folder };
  assert.equal((await petit(["client", "init", "-c", config], { env })).code, 0);
  configure(config, { "client.connectTimeout": "1s" });
  const code = encodeJoinCode({ secret: newJoinSecret(), hostKeyFingerprint, host, port });
  const finished = await petit(["client", "register", code, "-c", config], { env });
  assert.ok(!existsSync(join(folder, "tenants")), "something was kept of a registration that failed");
  return finished;
}

/** Exit code 1 and on standard error one sentence, with a hint below it. */
function assertSentence({ code, stdout, stderr }: Finished, sentence: string): void {
  const [first, hint, ...more] = stderr.trimEnd().split("\n");
  assert.equal(first, `petit: ${sentence}`);
  assert.match(hint ?? "", /^ {7}[A-Z]/);
  assert.deepEqual({ code, stdout, more }, { code: 1, stdout: "", more: [] });
}

peerTest("registering with an HTTP server says that it is one", [], async (t) => {
  const server = createServer((_, response) => response.end("hello"));
  const port = await listenOn(server);
  t.after(() => server.close());
  assertSentence(
    await registerWith(t, "127.0.0.1", port),
    `127.0.0.1:${port} is an HTTP server, not a petit server's SSH gateway`,
  );
});

peerTest("registering with a service that greets in another protocol says so", [], async (t) => {
  const { port } = await startService(t, (socket) => socket.write("220 mail.example.com ESMTP\r\n"));
  assertSentence(
    await registerWith(t, "127.0.0.1", port),
    `127.0.0.1:${port} is something that does not speak SSH, not a petit server's SSH gateway`,
  );
});

peerTest("registering where nothing listens says so", [], async (t) => {
  const port = await freePort();
  assertSentence(await registerWith(t, "127.0.0.1", port), `Nothing listens on 127.0.0.1:${port}`);
});

peerTest("registering with a name that does not resolve says so", [], async (t) => {
  assertSentence(
    await registerWith(t, "petit.server.invalid", 2222),
    'The name "petit.server.invalid" does not resolve',
  );
});

peerTest("registering with a port that accepts and says nothing ends after the timeout", [], async (t) => {
  const { port } = await startService(t, () => {});
  assertSentence(
    await registerWith(t, "127.0.0.1", port),
    `127.0.0.1:${port} accepts connections but did not finish the SSH login within 1 s`,
  );
});

peerTest("registering with a port that closes at once says so", [], async (t) => {
  const { port } = await startService(t, (socket) => socket.end());
  const { code, stderr } = await registerWith(t, "127.0.0.1", port);
  assert.equal(code, 1);
  assert.match(
    stderr,
    new RegExp(
      `^petit: The connection to 127\\.0\\.0\\.1:${port} ended before the login was done: .+\n +Try again in a few minutes: .+\n$`,
    ),
  );
});

/** A stock sshd with a host key of its own. */
async function startSshd(t: TestContext): Promise<{ port: number; fingerprint: string }> {
  // As the package's service does: sshd wants this folder to be there.
  if (userInfo().uid === 0) mkdirSync("/run/sshd", { recursive: true });
  const folder = temporaryFolder(t);
  const key = join(folder, "host_key");
  await output(program("ssh-keygen"), ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  const port = await freePort();
  const options = [`ListenAddress=127.0.0.1:${port}`, `PidFile=${join(folder, "pid")}`, "UsePAM=no"];
  const args = ["-D", "-e", "-f", "/dev/null", "-h", key, ...options.flatMap((option) => ["-o", option])];
  const sshd = background(t, program("sshd"), args);
  await sshd.line((line) => line.includes("Server listening"));
  return { port, fingerprint: publicKeyOf(readFileSync(key)).fingerprint };
}

peerTest("registering with a stock sshd shows both host keys", ["sshd", "ssh-keygen"], async (t) => {
  const { port, fingerprint } = await startSshd(t);
  const expected = someFingerprint();
  assertSentence(
    await registerWith(t, "127.0.0.1", port, expected),
    `127.0.0.1:${port} shows the host key ${fingerprint}, but the join code was made by a server with ${expected}`,
  );
});

peerTest("registering with a stock sshd that has the right host key says that the code is unknown", [
  "sshd",
  "ssh-keygen",
], async (t) => {
  const { port, fingerprint } = await startSshd(t);
  assertSentence(
    await registerWith(t, "127.0.0.1", port, fingerprint),
    `The server 127.0.0.1:${port} does not know this join code, or registers nobody at the moment`,
  );
});
