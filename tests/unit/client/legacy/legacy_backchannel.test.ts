import assert from "node:assert/strict";
import { publicEncrypt, randomBytes } from "node:crypto";
import test, { type TestContext } from "node:test";
import { LegacyBackchannel } from "../../../../src/client/legacy/legacy_backchannel.ts";
import { parseConfig } from "../../../../src/config/load.ts";
import { generateRsaKey } from "../../../../src/tunnel/rsa_key.ts";
import { type Answers, startBackchannel, usualAnswers } from "./former_backchannel.ts";
import { formerFolder, RSA } from "./legacy_folder.ts";

const REGISTRATIONS = { first: { id: "4001", port: 11081 }, second: { id: "4002", port: 11082 } };
const PORTS = { "4001": "11081", "4002": "11082" };
const SHAKE = { type: "handshake1", handshakeVersion: 2, vitae: { brand: "ce", version: "1.0.0" } } as const;

async function open(t: TestContext, answers: Answers, { holds = true, timeout = "10s" } = {}) {
  const folder = formerFolder(t, REGISTRATIONS);
  const server = await startBackchannel(t, answers);
  const text = `[client]\nhost = "127.0.0.1"\nbackPort = ${server.port}\nconnectTimeout = "${timeout}"\n`;
  const { client: config } = parseConfig(text, `${folder}/config.toml`);
  const backchannel = new LegacyBackchannel({ config, folder, holds });
  t.after(() => backchannel.close());
  return { ...server, backchannel, types: () => server.asked.map(({ type }) => type) };
}

test("legacy backchannel: a handshake proves the key for all registrations, whose ports are text", async (t) => {
  const { backchannel, asked, types, sockets } = await open(t, usualAnswers(PORTS));
  const { registrations, vitae } = await backchannel.ask(SHAKE, "shakehand1");
  assert.deepEqual(registrations, [
    { registeredId: "4001", registeredPort: 11081, endpoint: "https://4001.example.com" },
    { registeredId: "4002", registeredPort: 11082, endpoint: "https://4002.example.com" },
  ]);
  assert.deepEqual(vitae, { environment: "test", endpoint: "https://REGID.example.com", version: "0.6.34" });
  // The server has its last word once it answers something else.
  await backchannel.ask({ type: "ping1" }, "didPing1");
  assert.deepEqual(asked.find(({ type }) => type === "handshake1"), {
    type: "handshake1",
    handshakeVersion: 1,
    registeredId: ["4001", "4002"],
  });
  assert.deepEqual(types().filter((type) => type === "handshake3").length, 1);
  // One connection stands for the client, the other was pinged on; who asks again disturbs neither.
  await backchannel.ask(SHAKE, "shakehand1");
  assert.equal(types().filter((type) => type === "handshake1").length, 1);
  assert.equal(sockets.size, 2);
});

test("legacy backchannel: ids that the server does not know are left out, where it refuses all for one", async (t) => {
  const { backchannel } = await open(t, usualAnswers({ "4002": "11082" }));
  const { registrations } = await backchannel.ask(SHAKE, "shakehand1");
  assert.deepEqual(registrations.map(({ registeredId }) => registeredId), ["4002"]);
});

test("legacy backchannel: a server that knows none of them is tried again, since it may have lost its Redis", async (t) => {
  const { backchannel } = await open(t, usualAnswers({}));
  await assert.rejects(backchannel.ask(SHAKE, "shakehand1"), { code: "server-error", message: /Couldn't detect keys/ });
});

test("legacy backchannel: a registration that comes later leaves those that are there alone", async (t) => {
  const ports: Record<string, string> = { "4001": "11081" };
  const { backchannel, asked } = await open(t, usualAnswers(ports));
  await backchannel.ask(SHAKE, "shakehand1");
  ports["4002"] = "11082";
  const { registrations } = await backchannel.ask(SHAKE, "shakehand1");
  assert.deepEqual(registrations.map(({ registeredPort }) => registeredPort), [11081, 11082]);
  const shaken = asked.filter(({ type }) => type === "handshake2").map(({ registeredId }) => registeredId);
  assert.deepEqual(shaken, [["4001"], ["4002"]]);
});

test("legacy backchannel: who only looks takes nobody's place", async (t) => {
  const { backchannel, types } = await open(t, usualAnswers({ "4001": "11081" }), { holds: false });
  const { registrations } = await backchannel.ask(SHAKE, "shakehand1");
  assert.deepEqual(registrations.map(({ registeredId, registeredPort }) => [registeredId, registeredPort]), [[
    "4001",
    11081,
  ]]);
  assert.deepEqual([...new Set(types())], ["unregister1"]);
});

test("legacy backchannel: a registration is taken away with a proof; one that is unknown is said to be", async (t) => {
  const { backchannel, types } = await open(t, usualAnswers({ "4001": "11081" }), { holds: false });
  const unregister = (registeredId: string) =>
    backchannel.ask({ type: "unregister1", handshakeVersion: 2, registeredId }, "didUnregister1");
  await unregister("4001");
  await assert.rejects(unregister("4002"), { code: "registration-unknown" });
  assert.deepEqual(types().slice(0, 2), ["unregister1", "unregister2"]);
});

test("legacy backchannel: a server that closes the connection of the handshake and goes on has another client", async (t) => {
  const { backchannel, sockets } = await open(t, usualAnswers(PORTS));
  await backchannel.ask(SHAKE, "shakehand1");
  const lost = new Promise<string>((resolve) => backchannel.onLost = resolve);
  for (const socket of sockets) socket.end();
  assert.equal(await lost, "a newer connection of the same client took over");
});

test("legacy backchannel: this client's own end is no loss", async (t) => {
  const { backchannel, sockets } = await open(t, usualAnswers(PORTS));
  await backchannel.ask(SHAKE, "shakehand1");
  let told = false;
  backchannel.onLost = () => told = true;
  const closed = Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve))));
  backchannel.close();
  await closed;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(told, false);
  await assert.rejects(backchannel.ask({ type: "ping1" }, "didPing1"), { code: "backchannel-lost" });
});

const OTHER = generateRsaKey();
const encrypted = (pem: string, bytes: Buffer) => publicEncrypt(pem, bytes).toString("base64");

for (
  const [what, answer, code, message] of [
    ["speaks HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n\x03", "message-invalid", /speaks something else/],
    [
      "answers with other messages",
      { type: "shakehand1", prompt: 1 },
      "message-invalid",
      /no server of petit 0\.6 sends/,
    ],
    [
      "answers another question",
      { type: "didPing1" },
      "message-invalid",
      /answered "didPing1" where "shakehand1" was due/,
    ],
    ["never stops", "x".repeat(70_000), "message-invalid", /speaks something else/],
    ["hangs up", "", "backchannel-lost", /was lost: the server closed it/],
  ] as const
) {
  test(`legacy backchannel: a server that ${what} is named`, async (t) => {
    const { backchannel, port } = await open(t, (_, socket) => {
      if (answer === "") socket.end();
      return answer;
    });
    await assert.rejects(backchannel.ask(SHAKE, "shakehand1"), (error: { code: string; message: string }) => {
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}`));
      return true;
    });
  });
}

test("legacy backchannel: a server that never answers is not waited for longer than connectTimeout", async (t) => {
  const { backchannel } = await open(t, () => undefined, { timeout: "300ms" });
  await assert.rejects(backchannel.ask(SHAKE, "shakehand1"), { code: "backchannel-silent", message: /within 0\.3 s$/ });
});

test("legacy backchannel: nothing listens there", async (t) => {
  const folder = formerFolder(t, REGISTRATIONS);
  const { client: config } = parseConfig('[client]\nhost = "127.0.0.1"\nbackPort = 1\n', `${folder}/config.toml`);
  const other = new LegacyBackchannel({ config, folder, holds: true });
  await assert.rejects(other.ask(SHAKE, "shakehand1"), {
    code: "backchannel-unreachable",
    message: /127\.0\.0\.1:1: nothing listens/,
  });
});

for (
  const [what, prompt] of [
    ["for another key", encrypted(OTHER.publicPem, randomBytes(50))],
    ["that is none", "bm90aGluZw=="],
    // Whatever was encrypted to the key is not for whoever sends it here.
    ["that is longer than 0.6.x sends any", encrypted(RSA.publicPem, randomBytes(65))],
  ] as const
) {
  test(`legacy backchannel: a prompt ${what} is not answered`, async (t) => {
    const { backchannel, types } = await open(
      t,
      ({ type }) =>
        type === "handshake1"
          ? { type: "shakehand1", replacement: [], prompt }
          : type === "unregister1"
          ? { type: "didUnregister1", prompt }
          : undefined,
    );
    await assert.rejects(backchannel.ask(SHAKE, "shakehand1"), { code: "prompt-unreadable" });
    assert.deepEqual(types().filter((type) => String(type).endsWith("2")), []);
  });
}
