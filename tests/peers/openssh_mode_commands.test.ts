import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { isSignedBy, signMessage } from "../../src/tunnel/sshsig.ts";
import { ClientProcess, petit } from "../world/executable.ts";
import { freePort } from "../world/ports.ts";
import { background, output } from "../world/processes.ts";
import { getOnce, RawCaller, statusOf } from "../world/raw_http.ts";
import { AnsweringService } from "../world/raw_service.ts";
import { startService, temporaryFolder } from "../world/world.ts";
import { makeSshdWorld, NEEDS, startOpensshMode } from "./openssh_mode.ts";
import { peerTest, program } from "./peer_test.ts";
import { sessionsOf } from "./sshd.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

peerTest("the commands of both sides work through sshd, and unregister ends it all", NEEDS, async (t) => {
  const web = await startService(t, new AnsweringService(OK).accept);
  const mode = await startOpensshMode(t, {
    sshd: { settings: ["AllowStreamLocalForwarding no", "ClientAliveInterval 15"] },
  });
  const { server, sshd } = mode;
  const client = await new ClientProcess(t).register(await server.joinCode(), web.port);
  await client.start();
  const run = async (config: string, ...words: string[]) => {
    const { code, stdout, stderr } = await petit([...words, "--json", "-c", config], { env: { HOME: client.folder } });
    assert.equal(code, 0, `${words.join(" ")}: ${stdout}${stderr}`);
    return JSON.parse(stdout);
  };
  const ping = await run(client.config, "client", "ping", "-n", "1");
  assert.equal(ping.answered, 1);
  assert.equal((await run(client.config, "client", "sping", "-n", "1")).answered, 1);
  assert.equal((await run(client.config, "client", "check")).ok, true);
  const status = await run(server.config, "server", "status", client.id);
  assert.equal(status.connected, true);
  // Root finds out at whose end of sshd the client is.
  assert.ok(["127.0.0.1", "unknown"].includes(status.tunnel.address), status.tunnel.address);
  const check = await run(server.config, "server", "check");
  assert.equal(check.items.find(({ name }: { name: string }) => name === "AllowTcpForwarding").state, "ok");
  await run(server.config, "server", "disconnect", client.id);
  await client.daemon.logged(({ cause }) => String(cause).includes("operator"));
  await run(client.config, "client", "unregister", "-r", client.id);
  assert.ok(!readFileSync(sshd.authorizedKeys, "latin1").includes(`petit:${client.id}`));
});

peerTest("petit server check names what sshd lacks, and exits with 1", NEEDS, async (t) => {
  const settings = ["Match User root,nobody", "AllowTcpForwarding local", "Match all"];
  const { server, sshd } = await startOpensshMode(t, { sshd: { settings: [] } });
  writeFileSync(sshd.configFile, `${readFileSync(sshd.configFile, "utf8")}\n${settings.join("\n")}\n`);
  const { code, stdout } = await petit(["server", "check", "--json", "-c", server.config]);
  const { items } = JSON.parse(stdout) as { items: { name: string; state: string; line?: string }[] };
  const item = items.find(({ name }) => name === "AllowTcpForwarding");
  if (process.getuid?.() === 0) assert.deepEqual([item?.state, item?.line], ["failed", "AllowTcpForwarding yes"]);
  assert.equal(code, 1);
});

peerTest(
  "a client that is killed and started anew is served again within seconds, though its session hangs",
  NEEDS,
  async (t) => {
    const web = await startService(t, new AnsweringService(OK).accept);
    const { server, sshd } = await startOpensshMode(t, { server: { "server.holdFor": "10s" } });
    const client = await new ClientProcess(t).register(await server.joinCode(), web.port);
    await client.start();
    for (const hangs of [false, true]) {
      if (hangs) { for (const pid of sessionsOf(sshd.process.child.pid as number)) process.kill(pid, "SIGSTOP"); }
      await client.daemon.process.stop("SIGKILL");
      const begun = performance.now();
      await client.start();
      assert.equal(statusOf(await getOnce(server.proxyPort, `${client.id}.example.com`)), 200);
      assert.ok(performance.now() - begun < 8000, `${performance.now() - begun} ms`);
    }
  },
);

peerTest("no request fails while the server is started again, behind the tunnel of sshd", NEEDS, async (t) => {
  const web = await startService(t, new AnsweringService(OK).accept);
  const { server } = await startOpensshMode(t);
  const client = await new ClientProcess(t).register(await server.joinCode(), web.port);
  await client.start();
  const host = `${client.id}.example.com`;
  let over = false;
  const statuses = new Map<number, number>();
  const calling = (async () => {
    while (!over) {
      const status = statusOf(await getOnce(server.proxyPort, host));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  })();
  const { code, stderr } = await petit(["server", "restart", "-c", server.config], { env: { HOME: server.folder } });
  assert.equal(code, 0, stderr);
  over = true;
  await calling;
  assert.deepEqual([...statuses.keys()], [200], JSON.stringify([...statuses]));
  assert.equal((await petit(["server", "stop", "-c", server.config], { env: { HOME: server.folder } })).code, 0);
});

peerTest(
  "Unix sockets of the server are out of reach, and none are made where sshd is told so",
  [...NEEDS, "ssh"],
  async (t) => {
    const { client, sshd } = await makeSshdWorld(t, () => {}, {
      sshd: { settings: ["AllowStreamLocalForwarding local"] },
      start: false,
    });
    const folder = temporaryFolder(t);
    const path = join(folder, "secret.sock");
    let called = 0;
    const secret = createServer((socket) => (called++, socket.end("secret")));
    await new Promise<void>((resolve) => secret.listen(path, resolve));
    t.after(() => secret.close());
    const local = await freePort();
    const options = [`UserKnownHostsFile=${client.folder}/known_hosts`, "BatchMode=yes", "IdentityAgent=none"];
    const ssh = background(t, program("ssh"), [
      ...["-v", "-F", "none", "-i", `${client.folder}/key`, "-p", String(sshd.port)],
      ...options.flatMap((option) => ["-o", option]),
      ...["-N", "-L", `${local}:${path}`, "-R", `${folder}/new.sock:127.0.0.1:1`, `${sshd.user}@127.0.0.1`],
    ]);
    await ssh.line((line) => line.includes("remote forward failure"));
    assert.equal(await new RawCaller(local).all(), "");
    await sshd.process.line((line) => line.includes(`connect to path ${path}, but the request was denied`));
    assert.equal(called, 0);
    assert.ok(!existsSync(`${folder}/new.sock`));
  },
);

peerTest("ssh-keygen verifies what a client signs, and signs what a server takes", ["ssh-keygen"], async (t) => {
  const folder = temporaryFolder(t);
  for (const type of ["ed25519", "rsa"]) {
    const [key, message] = [join(folder, type), join(folder, `${type}.txt`)];
    await output(program("ssh-keygen"), ["-q", "-t", type, "-m", "PEM", "-N", "", "-C", "", "-f", key]);
    writeFileSync(message, "a prompt");
    const [line = ""] = readFileSync(`${key}.pub`, "utf8").trim().split("\n");
    const blob = Buffer.from(line.split(" ")[1] as string, "base64");
    await output(program("ssh-keygen"), ["-Y", "sign", "-q", "-f", key, "-n", "petit-backchannel", message]);
    const armored = readFileSync(`${message}.sig`, "latin1");
    const theirs = Buffer.from(armored.split("\n").filter((one) => !one.startsWith("-----")).join(""), "base64");
    assert.ok(isSignedBy(blob, "petit-backchannel", Buffer.from("a prompt"), theirs), type);
    const ours = signMessage(readFileSync(key), "petit-backchannel", Buffer.from("a prompt")).toString("base64");
    const lines = ours.match(/.{1,70}/g)?.join("\n");
    writeFileSync(`${message}.sig`, `-----BEGIN SSH SIGNATURE-----\n${lines}\n-----END SSH SIGNATURE-----\n`);
    writeFileSync(join(folder, "signers"), `client ${line}\n`);
    const verify = ["-Y", "verify", "-f", join(folder, "signers"), "-I", "client", "-n", "petit-backchannel"];
    await output("/bin/sh", [
      "-c",
      `exec "$0" "$@" < "${message}"`,
      program("ssh-keygen"),
      ...verify,
      "-s",
      `${message}.sig`,
    ]);
  }
});
