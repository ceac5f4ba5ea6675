import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { detachedServer } from "../world/detached.ts";
import { eventually } from "../world/eventually.ts";
import { ClientProcess, petit, ServerProcess, startExecutables } from "../world/executable.ts";
import { exchange, RawCaller, statusOf, takeAnswer } from "../world/raw_http.ts";
import { type Scope, startService } from "../world/world.ts";

/** Server and client as processes, and the server's commands. */
async function newWorld(scope: Scope) {
  const service = await startService(scope, (socket) => {
    socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  });
  const world = await startExecutables(scope, service.port);
  const { server, client, host, proxyPort } = world;
  const run = (...args: string[]) => petit(["server", ...args, "-c", server.config]);
  const done = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  const shown = async () => JSON.parse(await done("hostkey", "--json"));
  const request = `GET / HTTP/1.1\r\nHost: ${host}\r\n`;
  const answers = async () =>
    assert.equal(statusOf(await exchange(proxyPort, `${request}Connection: close\r\n\r\n`)), 200);
  const pinned = () => readFileSync(join(client.folder, "known_hosts"), "utf8").trim().split("\n");
  await eventually("the server can be asked", async () => (await run("status")).code === 0);
  return { ...world, run, done, shown, answers, pinned, request, keyFile: join(server.folder, "ssh_host_ed25519_key") };
}

test("server hostkey: the key is replaced while a client that nobody touches serves its callers", async (t) => {
  const { run, done, shown, answers, pinned, request, keyFile, id, server, client, proxyPort } = await newWorld(t);
  const before = await shown();
  assert.deepEqual([before.next, before.former, before.clients], [null, null, 2]);
  const [known] = pinned();

  const rotated = await done("hostkey", "rotate");
  assert.match(rotated, /^Made the next host key\./);
  assert.match(rotated, /Known to +1 of 2 clients\nNot to +1001 \(away\)\n/);
  const { next } = await shown();
  assert.ok(rotated.includes(next.fingerprint) && rotated.includes(before.current.fingerprint), rotated);
  assert.deepEqual([next.aware, next.unaware], [1, [{ ids: ["1001"], connected: false }]]);
  assert.equal(pinned().length, 2);
  assert.equal(pinned()[0], known);

  // A client that was never there is in the way, until the operator takes it away or says that it does not matter.
  const refused = await run("hostkey", "finish");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /1 of 2 clients do not know the next host key yet: 1001 \(away\)/);
  assert.match(refused.stderr, /--force/);
  await done("unregister", "1001");
  const code = await server.joinCode();

  const caller = new RawCaller(proxyPort);
  const answer = async () => (await takeAnswer(caller.send(`${request}\r\n`))).status;
  assert.equal(await answer(), 200);
  await eventually("the server has noticed", async () => (await shown()).next.unaware.length === 0);
  const finished = await done("hostkey", "finish");
  assert.match(finished, /^The next host key is the host key now\./);
  assert.match(finished, /Revoked one join code that named the former key/);
  assert.ok(finished.includes(`${keyFile}.former`));
  const after = await shown();
  assert.deepEqual([after.current.fingerprint, after.next, after.openJoinCodes], [next.fingerprint, null, 0]);
  assert.deepEqual(after.former, { fingerprint: before.current.fingerprint, file: `${keyFile}.former` });
  assert.equal(await answer(), 200, "who was there goes on");
  caller.close();

  const late = await client.tryRegister(code, 9);
  assert.equal(late.code, 1);
  assert.match(late.stderr, /new join code/);

  await done("disconnect", id);
  await eventually("the former key is forgotten", () => pinned().length === 1);
  assert.notDeepEqual(pinned(), [known]);
  await eventually("the client serves again", async () => (await run("status", id)).stdout.includes("connected"));
  await answers();
  assert.equal(client.daemon.log.some(({ code }) => code?.startsWith("host-key-") === true), false);
});

test("server hostkey: a restart in the middle takes nothing of it away", async (t) => {
  const service = await startService(t, (socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"));
  });
  const daemon = await detachedServer(t, { "server.holdFor": "10s", "server.drainFor": "1s" });
  const { server } = daemon;
  await daemon.start();
  const client = await new ClientProcess(t).register(await server.joinCode(), service.port);
  await client.start();

  const shown = async () => JSON.parse((await daemon.run("hostkey", "--json")).stdout);
  const answers = async () =>
    assert.equal(
      statusOf(
        await exchange(
          server.proxyPort,
          `GET / HTTP/1.1\r\nHost: ${client.id}.example.com\r\nConnection: close\r\n\r\n`,
        ),
      ),
      200,
    );
  const restart = async () => {
    const { code, stderr } = await daemon.run("restart");
    assert.equal(code, 0, stderr);
  };

  const { code, stderr } = await daemon.run("hostkey", "rotate");
  assert.equal(code, 0, stderr);
  const before = await shown();
  assert.equal(before.next.aware, 1);

  await restart();
  assert.deepEqual(await shown(), before);
  await answers();
  assert.equal((await daemon.run("hostkey", "finish", "--force")).code, 0);

  await restart();
  assert.equal((await shown()).current.fingerprint, before.next.fingerprint);
  await answers();
  assert.equal(client.daemon.log.some(({ code }) => code?.startsWith("host-key-") === true), false);
});

test("server hostkey: a next key is given up, and the commands say what they need", async (t) => {
  const { run, done, shown, pinned, keyFile } = await newWorld(t);
  const nothing = await run("hostkey", "finish");
  assert.deepEqual([nothing.code, nothing.stdout], [1, ""]);
  assert.match(nothing.stderr, /no next host key[^]*petit server hostkey rotate/);
  await done("hostkey", "rotate");
  assert.equal(pinned().length, 2);
  const twice = await run("hostkey", "rotate");
  assert.equal(twice.code, 1);
  assert.match(twice.stderr, /next host key already/);
  assert.match(await done("hostkey", "abort"), /^Gave up the next host key\./);
  await eventually("the client has forgotten it", () => pinned().length === 1);
  assert.equal((await shown()).next, null);
  assert.equal(existsSync(`${keyFile}.next`), false);
});

test("server hostkey: without a server that runs there is nobody to vouch", async (t) => {
  const server = await ServerProcess.init(t);
  for (const words of [[], ["rotate"], ["finish"], ["abort"]]) {
    const { code, stderr } = await petit(["server", "hostkey", ...words, "-c", server.config]);
    assert.equal(code, 3, stderr);
  }
  const wrong = await petit(["server", "hostkey", "begin", "-c", server.config]);
  assert.equal(wrong.code, 2);
});
