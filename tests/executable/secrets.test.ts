import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import test from "node:test";
import { apiToken } from "../../src/control/api_token.ts";
import { findDaemon, type PidFile } from "../../src/platform/pid_file.ts";
import { decodeJoinCode, encodeJoinCode } from "../../src/tunnel/join_code.ts";
import { configure, petit, ServerProcess } from "../world/executable.ts";
import { ClientProcess } from "../world/executable.ts";
import { eventually } from "../world/eventually.ts";
import type { RunOptions } from "../world/processes.ts";
import { exchange } from "../world/raw_http.ts";
import { startService } from "../world/world.ts";

/** Files that hold a secret because they are there for it. */
const KEEPERS = ["key", "ssh_host_ed25519_key", "api-token"];

/** The lines of a private key in PEM that say something. */
const keyLines = (file: string) =>
  readFileSync(file, "utf8").split("\n").filter((line) => line.length > 40 && !line.startsWith("-----"));

function answerOf(port: number, path: string, token: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const sent = request({ host: "127.0.0.1", port, path, headers, agent: false }, (answer) => {
      let text = "";
      answer.on("data", (bytes) => text += String(bytes));
      answer.on("end", () => resolve(text));
      // Some answers have no end of their own.
      setTimeout(() => (answer.destroy(), resolve(text)), 1000).unref();
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** The arguments of all processes, where the system tells them. */
function argumentsOfAll(): string {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return "";
      }
    }).join("\n");
  } catch {
    return "";
  }
}

test("a whole session with failures leaves no secret in output, logs, status, records or arguments", {
  timeout: 180_000,
}, async (t) => {
  const said: string[] = [];
  const run = async (args: string[], options: RunOptions = {}) => {
    const finished = await petit(args, options);
    said.push(finished.stdout, finished.stderr);
    return finished;
  };
  const server = await ServerProcess.init(t, { "server.logLevel": "trace", "server.accessLog": "combined" });
  await server.start();
  const code = await server.joinCode();
  const good = decodeJoinCode(code);
  const wrong = { ...good, secret: "c2VjcmV0LW9mLW5vYm9keQ" };
  const elsewhere = { ...good, hostKeyFingerprint: `SHA256:${"A".repeat(43)}` };
  const service = await startService(t, (socket) => socket.on("data", () => socket.destroy()));
  const client = new ClientProcess(t);
  const env = { HOME: client.folder };
  const register = (input: string) =>
    run(["client", "register", "-", "--json", "-c", client.config, "--local", `127.0.0.1:${service.port}`], {
      env,
      input: `${input}\n`,
    });
  assert.equal((await register(encodeJoinCode(wrong))).code, 1);
  assert.equal((await register(encodeJoinCode(elsewhere))).code, 1);
  // A slip in the code: what is wrong is told without it.
  const slip = `${code.slice(0, -1)}${code.endsWith("A") ? "B" : "A"}`;
  assert.equal((await register(slip)).code, 2);
  const registered = await petit(
    ["client", "register", "-", "--json", "-c", client.config, "--local", `127.0.0.1:${service.port}`],
    { env, input: code },
  );
  assert.equal(registered.code, 0, registered.stderr);
  said.push(registered.stdout, registered.stderr);
  client.took(registered.stdout);
  configure(client.config, { "client.logLevel": "trace" });
  await client.start();

  const head = "Authorization: Bearer caller-token\r\nCookie: session=caller-cookie\r\nContent-Length: 11\r\n";
  const asked = `POST / HTTP/1.1\r\nHost: ${client.id}.example.com\r\n${head}\r\ncaller-body`;
  assert.match(await exchange(server.proxyPort, asked), / 502 /);
  const tokens: string[] = [];
  const wrongToken = "wr0ng".repeat(9).slice(0, 43);
  for (const [folder, role] of [[server.folder, "server"], [client.folder, "client"]] as const) {
    await eventually("the API is there", () => (findDaemon(folder, role) as PidFile).api !== null);
    const { api, listen } = findDaemon(folder, role) as PidFile;
    const token = apiToken(folder);
    tokens.push(token);
    const description = JSON.parse(await answerOf(api as number, "/openapi.json", token)) as { paths: object };
    for (const path of Object.keys(description.paths)) {
      const filled = path.replace("{id}", role === "server" ? client.id : "default");
      for (const one of [token, wrongToken]) said.push(await answerOf(api as number, filled, one));
    }
    for (
      const command of ["STATUS", "LOG debug", `AUTH ${wrongToken} STOP`, `AUTH ${token} LOG trace`, `AUTH ${token}`]
    ) {
      said.push(await exchange(listen, `${command}\x03`));
    }
    const config = role === "server" ? server.config : client.config;
    for (const command of ["status", "config", "restart", "reload"]) {
      await run([role, command, "-c", config], { env: { HOME: folder } });
    }
  }
  said.push(argumentsOfAll());
  for (const { folder, config } of [client, server]) {
    const role = folder === server.folder ? "server" : "client";
    assert.equal((await run([role, "stop", "-c", config], { env: { HOME: folder } })).code, 0);
  }
  said.push(...server.daemon.process.lines, ...client.daemon.process.lines);
  for (const folder of [server.folder, client.folder]) {
    for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (KEEPERS.includes(name) || !statSync(join(folder, name)).isFile()) continue;
      said.push(readFileSync(join(folder, name), "latin1"));
    }
  }

  const all = said.join("\n");
  for (const seen of ["login-failed", "command-refused", "token-wrong", client.id]) assert.ok(all.includes(seen), seen);
  const secrets = {
    "a join secret": [good.secret, wrong.secret],
    "a join code": [code, slip, encodeJoinCode(wrong), encodeJoinCode(elsewhere)],
    "the client's private key": keyLines(client.keyFile),
    "the private host key": keyLines(join(server.folder, "ssh_host_ed25519_key")),
    "a token": [...tokens, wrongToken],
    "what a caller sends": ["caller-token", "caller-cookie", "caller-body"],
  };
  for (const [what, texts] of Object.entries(secrets)) {
    for (const text of texts) assert.equal(all.includes(text), false, `${what} can be seen`);
  }
});
