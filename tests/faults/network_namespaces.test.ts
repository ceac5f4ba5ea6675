import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeJoinCode, encodeJoinCode } from "../../src/tunnel/join_code.ts";
import { ClientProcess, configure, ServerProcess } from "../world/executable.ts";
import { fileScope } from "../world/file_scope.ts";
import { Background, output } from "../world/processes.ts";
import { figure } from "./world/figure.ts";
import { inForm, SLOW } from "./world/form.ts";
import { RECOVERY } from "./world/recovery.ts";
import { TwoHosts, whyNoNetworks } from "./world/two_hosts.ts";

const skip = whyNoNetworks();
if (skip !== undefined) console.error(`(skip) between two hosts: ${skip}`);
const options = { ...SLOW, ...(skip === undefined ? {} : { skip }) };

const scope = fileScope();

const script = (name: string) => new URL(`./world/${name}`, import.meta.url).pathname;

/** Server and client on two hosts, with TCP of the kernel's own in between. */
async function makeWorld() {
  const hosts = await TwoHosts.make(scope);
  const service = new Background(hosts.customer.launcher[0] as string, [
    ...hosts.customer.launcher.slice(1),
    process.execPath,
    script("service_process.ts"),
  ]);
  scope.after(() => service.stop("SIGKILL"));
  const servicePort = Number((await service.line((text) => text.startsWith("port "))).slice(5));
  const server = await ServerProcess.init(scope, { "server.ssh.listenHost": "*" });
  server.launcher = hosts.public.launcher;
  await server.start();
  const client = new ClientProcess(scope);
  client.launcher = hosts.customer.launcher;
  const code = encodeJoinCode({ ...decodeJoinCode(await server.joinCode()), host: hosts.public.address });
  await client.register(code, servicePort);
  configure(client.config, { "client.reconnectDelayMax": "30s" });
  await client.start();
  const answered = async () => {
    const [program = "", ...words] = hosts.public.launcher;
    const args = [script("ask_until.ts"), String(server.proxyPort), `${client.id}.example.com`, "30000"];
    return Number(await output(program, [...words, process.execPath, ...args]));
  };
  return { hosts, client, answered };
}

const LOSSES = {
  "both ways": ["public", "customer"],
  "client to server": ["customer"],
  "server to client": ["public"],
} as const;

/** Lets the network lose everything for some time, again and again; the milliseconds until an answer, by seconds of loss. */
async function lose(senders: readonly ("public" | "customer")[]): Promise<Map<number, number>> {
  const { hosts, answered } = await makeWorld();
  assert.ok(await answered() < RECOVERY);
  const found = new Map<number, number>();
  for (const seconds of inForm([7, 12], [2, 4, 6, 7, 8, 9, 12, 20, 30])) {
    for (const sender of senders) await hosts.lose(hosts[sender], true);
    await sleep(seconds * 1000);
    for (const sender of senders) await hosts.lose(hosts[sender], false);
    found.set(seconds, await answered());
    // A tunnel that lived.
    await sleep(inForm(0, 11_000));
  }
  return found;
}

// At the same time, each between two hosts of its own: what takes long is waiting.
const losses = skip !== undefined ? [] : Object.values(LOSSES).map(lose);
for (const loss of losses) loss.catch(() => {});

for (const [index, where] of Object.keys(LOSSES).entries()) {
  test(
    `a network that loses everything ${where} is answered through within 2 s once it is well again`,
    options,
    async () => {
      for (const [seconds, milliseconds] of await losses[index] ?? []) {
        figure(
          `network loses all ${where}, ${seconds} s`,
          "answered again after healing, in",
          milliseconds / 1000,
          "s",
        );
        assert.ok(milliseconds <= RECOVERY, `${seconds} s: answered after ${milliseconds} ms`);
      }
    },
  );
}

test("a client whose address changes is back at once", options, async () => {
  const { hosts, client, answered } = await makeWorld();
  assert.ok(await answered() < RECOVERY);
  await hosts.readdress(hosts.customer, "192.0.2.3");
  const milliseconds = await answered();
  figure("the client's address changes", "answered again after", milliseconds / 1000, "s");
  assert.ok(milliseconds <= RECOVERY);
  await client.daemon.logged(({ cause }) => cause === "this machine's address has changed");
});
