import assert from "node:assert/strict";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import type { TestContext } from "node:test";
import { eventually } from "../world/eventually.ts";
import { freePort } from "../world/ports.ts";
import { background, run } from "../world/processes.ts";
import { getOnce, statusOf } from "../world/raw_http.ts";
import { RawPeer } from "../world/raw_peer.ts";
import { AnsweringService } from "../world/raw_service.ts";
import { addTenant } from "../world/tenants.ts";
import { TestClient } from "../world/world.ts";
import { makeSshdWorld, NEEDS, type SshdWorld, startSshdServer } from "./openssh_mode.ts";
import { peerTest, program } from "./peer_test.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/** Arguments of an ssh that logs in with the client's key. */
function sshArgs({ client, sshd }: Pick<SshdWorld, "client" | "sshd">): string[] {
  const options = [`UserKnownHostsFile=${client.folder}/known_hosts`, "BatchMode=yes", "IdentitiesOnly=yes"];
  const more = [...options, "IdentityAgent=none", "ExitOnForwardFailure=yes"].flatMap((option) => ["-o", option]);
  return ["-F", "none", "-i", `${client.folder}/key`, "-p", String(sshd.port), ...more, `${sshd.user}@127.0.0.1`];
}

async function makeStopped(t: TestContext, settings: Parameters<typeof makeSshdWorld>[2] = {}): Promise<SshdWorld> {
  return await makeSshdWorld(t, new AnsweringService(OK).accept, { ...settings, start: false });
}

peerTest("a registered key runs no command and gets no shell", [...NEEDS, "ssh"], async (t) => {
  const world = await makeStopped(t);
  for (const command of [[], ["id"]]) {
    const { code, stdout } = await run(program("ssh"), ["-T", ...sshArgs(world), ...command]);
    assert.deepEqual({ code, stdout }, { code: 1, stdout: "" }, command.join(" "));
  }
});

peerTest(
  "a registered key listens on its own port alone, and reaches nothing but petit",
  [...NEEDS, "ssh"],
  async (t) => {
    const world = await makeStopped(t);
    const other = await new TestClient(t, world.server, world.service.port).register(world.server.joinCode());
    const { port: service } = world.service;
    for (const port of [other.registered.registeredPort, await freePort()]) {
      const { code, stderr } = await run(program("ssh"), [
        "-N",
        "-R",
        `${port}:127.0.0.1:${service}`,
        ...sshArgs(world),
      ]);
      assert.notEqual(code, 0);
      assert.match(stderr, /remote port forwarding failed/);
    }
    const wide = await run(program("ssh"), ["-N", "-R", `0.0.0.0:${world.rawPort}:127.0.0.1:1`, ...sshArgs(world)]);
    assert.match(wide.stderr, /remote port forwarding failed/);
    const local = await freePort();
    const ssh = background(t, program("ssh"), ["-v", "-N", "-L", `${local}:127.0.0.1:${service}`, ...sshArgs(world)]);
    await ssh.line((line) => line.includes("Local connections to") || line.includes("Entering interactive session"));
    assert.equal(await getOnce(local, "x"), "");
    await ssh.line((line) => line.includes("administratively prohibited"));
  },
);

peerTest("a key that is registered proves nothing by its name on the backchannel", NEEDS, async (t) => {
  const { server, client } = await makeStopped(t);
  const { connect } = await import("node:net");
  const { ownKey } = await import("../../src/client/state.ts");
  const peer = new RawPeer(connect(server.config.server.backPort, "127.0.0.1"));
  const say = async (message: object) => {
    peer.send(`${JSON.stringify(message)}\x03`);
    return JSON.parse((await peer.takeUntil("\x03")).slice(0, -1)) as { type: string; code?: string };
  };
  const publicKey = ownKey(client.folder).publicKey.line;
  const prove = { type: "prove1", handshakeVersion: 2, publicKey };
  assert.equal((await say(prove)).type, "didProve1");
  assert.equal((await say({ type: "prove2", signature: "AAAA" })).code, "identity-unproven");
  // The prompt was good for one attempt.
  assert.equal((await say({ type: "prove2", signature: "AAAA" })).code, "identity-unproven");
  assert.equal(
    (await say({ type: "unregister1", handshakeVersion: 2, registeredId: client.registered.registeredId })).code,
    "identity-unproven",
  );
  assert.equal((await say({ ...prove, handshakeVersion: 3 })).code, "version-refused");
  assert.equal((await say({ ...prove, publicKey: "ssh-ed25519 AAAA" })).code, "key-invalid");
  peer.close();
});

peerTest("the gateway takes registrations only, and its log says so", NEEDS, async (t) => {
  const { server, client } = await makeStopped(t);
  client.config.client.port = server.running.sshPort;
  client.launch();
  await client.logged(({ code }) => code === "login-refused");
  await server.logged(({ msg, why, cause }) => JSON.stringify({ msg, why, cause }).includes('mode is \\"openssh\\"'));
});

peerTest("the log tells of what sshd lacks as such, and of petit's own settings without its name", NEEDS, async (t) => {
  const settings = ["AllowStreamLocalForwarding yes"];
  const { server } = await startSshdServer(t, { sshd: { settings }, server: 'backHost = "127.0.0.2"\n' });
  const line = await server.logged((one) => one["setting"] === "AllowStreamLocalForwarding");
  assert.match(line.msg, /^sshd_config, AllowStreamLocalForwarding: /);
  const own = await server.logged((one) => one["setting"] === "backHost");
  assert.match(own.msg, /^\[server\] backHost is "127\.0\.0\.2", /);
});

peerTest("another user's listener on the port of a client that is away gets no caller", [
  ...NEEDS,
  { name: "root", met: () => process.getuid?.() === 0 },
  "python3",
], async (t) => {
  const { server, id, rawPort, proxyPort, host } = await makeStopped(t);
  const listen =
    `import socket,sys,os;os.setuid(65534);s=socket.socket();s.bind(("127.0.0.1",${rawPort}));s.listen();print("listens",file=sys.stderr,flush=True);s.accept();print("called",file=sys.stderr,flush=True)`;
  const thief = background(t, program("python3"), ["-c", listen]);
  await thief.line((line) => line === "listens");
  await server.logged((line) => line.code === "port-not-sshd" && line["id"] === id);
  assert.equal(statusOf(await getOnce(proxyPort, host)), 503);
  assert.ok(!thief.lines.includes("called"));
});

for (
  const [setting, sentence] of [
    ["AllowTcpForwarding no", /lets this client in, and not through to petit behind it/],
    ["AllowTcpForwarding local", /sshd refuses to listen on 127\.0\.0\.1:\d+ for this client/],
  ] as const
) {
  peerTest(`${setting}: the client says what to look at, and tries again later and later`, NEEDS, async (t) => {
    const { client, sshd } = await makeStopped(t, { sshd: { settings: [setting] } });
    client.launch();
    const line = await client.logged(({ msg, hint }) => hint !== undefined && sentence.test(msg));
    assert.match(String(line["hint"]), /petit server check/);
    const tries = () => client.log.filter(({ hint, msg }) => hint !== undefined && sentence.test(msg)).length;
    await eventually("it has tried three times", () => tries() >= 3);
    const logins = sshd.process.lines.filter((line) => line.startsWith("Accepted publickey"));
    assert.ok(logins.length <= 6, `${logins.length} logins`);
  });
}

peerTest("a port that another program has: the client is told, and served once it is free", NEEDS, async (t) => {
  const { client, rawPort, proxyPort, host } = await makeStopped(t, {
    server: 'holdFor = "10s"\n',
    client: 'reconnectDelayMax = "1s"\n',
  });
  const squatter = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => squatter.listen(rawPort, "127.0.0.1", resolve));
  t.after(() => squatter.close());
  client.launch();
  await client.logged(({ msg }) => /sshd refuses to listen on/.test(msg));
  await new Promise((resolve) => squatter.close(resolve));
  assert.equal(statusOf(await getOnce(proxyPort, host)), 200);
});

peerTest(
  "a port of one tenant that another program has is asked for again, while the others are served",
  NEEDS,
  async (t) => {
    const { server, client, service, proxyPort, host } = await makeStopped(t, { client: 'reconnectDelayMax = "1s"\n' });
    const other = await addTenant(client, server, "other", { port: service.port });
    const squatter = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => squatter.listen(other.registeredPort, "127.0.0.1", resolve));
    t.after(() => squatter.close());
    client.launch();
    const refusals = () => client.log.filter(({ code }) => code === "forward-refused").length;
    await eventually("refused twice", () => refusals() >= 2);
    assert.equal(statusOf(await getOnce(proxyPort, host)), 200);
    await new Promise((resolve) => squatter.close(resolve));
    await client.logged((line) => line["id"] === other.registeredId && line["endpoint"] !== undefined);
    assert.equal(statusOf(await getOnce(proxyPort, `${other.registeredId}.example.com`)), 200);
  },
);

peerTest("host keys of sshd that cannot be read are an error at the start", NEEDS, async (t) => {
  await assert.rejects(
    startSshdServer(t).then(async ({ server }) => {
      await server.stop();
      server.config.server.ssh.sshdHostKeys = join(server.folder, "nothing_*.pub");
      await server.start();
    }),
    { code: "sshd-host-keys-unreadable" },
  );
});
