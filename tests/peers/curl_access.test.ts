import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { echoHead } from "../world/access.ts";
import { FIRST } from "../world/certificates.ts";
import { ANN, BOB, CA } from "../world/client_certificates.ts";
import { eventually } from "../world/eventually.ts";
import { configure, petit, startExecutables } from "../world/executable.ts";
import { run } from "../world/processes.ts";
import { startService, temporaryFolder } from "../world/world.ts";
import { peerTest, program } from "./peer_test.ts";

peerTest(
  "curl is let in by a token, by a user and a password, and by its certificate, and not without",
  ["curl"],
  async (t) => {
    const service = await startService(t, echoHead);
    const world = await startExecutables(t, service.port);
    const { server, id, host } = world;
    const access = async (...args: string[]) => {
      const { code, stdout, stderr } = await petit(["server", "access", ...args, "-c", server.config]);
      assert.equal(code, 0, stderr);
      return stdout.trim();
    };
    const folder = temporaryFolder(t);
    for (
      const [name, text] of Object.entries({
        "ann.crt": ANN.cert,
        "ann.key": ANN.key,
        "bob.crt": BOB.cert,
        "bob.key": BOB.key,
      })
    ) {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
    }
    writeFileSync(join(folder, "server.crt"), FIRST.cert);
    /** The status of the answer, or what curl says. */
    const curl = async (url: string, ...args: string[]) => {
      const asked = [
        "-sS",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "-H",
        `Host: ${host}`,
        "--cacert",
        "server.crt",
        ...args,
        url,
      ];
      const { stdout, stderr } = await run(program("curl"), asked, { cwd: folder });
      return stdout === "000" ? stderr : stdout;
    };
    const plain = `http://127.0.0.1:${world.proxyPort}/`;
    await access("set", id, "--require", "bearer,basic");
    await eventually("it is guarded", async () => await curl(plain) === "401");
    const token = await access("grant", id, "--bearer");
    const password = await access("grant", id, "--basic", "ann");
    await eventually("the password is known", async () => await curl(plain, "-u", `ann:${password}`) === "200");
    assert.equal(await curl(plain, "--oauth2-bearer", token), "200");
    assert.equal(await curl(plain, "--anyauth", "-u", `ann:${password}`), "200", "asked for after the first answer");
    assert.equal(await curl(plain, "-u", `ann:${password}x`), "401");
    assert.equal(await curl(plain, "--oauth2-bearer", `${token}x`), "401");
    assert.equal(await curl(plain, "-u", `ann:${password}`, "-d", "some=body", "-H", "Expect: 100-continue"), "200");

    await world.server.daemon.stop();
    configure(server.config, { "server.access.clientCa": "./clients.pem" });
    writeFileSync(join(server.folder, "clients.pem"), CA);
    mkdirSync(join(server.folder, "certificates"), { recursive: true });
    writeFileSync(join(server.folder, "certificates", "server.key"), FIRST.key, { mode: 0o600 });
    writeFileSync(join(server.folder, "certificates", "server.crt"), FIRST.cert);
    await access("set", id, "--require", "certificate", "--certificates", "ann@example.com");
    await world.server.start();
    const secure = `https://localhost:${server.secureProxyPort}/`;
    const certificate = (name: string) => ["--cert", `${name}.crt`, "--key", `${name}.key`];
    await eventually("the client is back", async () => await curl(secure, ...certificate("ann")) === "200");
    assert.equal(await curl(secure, ...certificate("ann"), "--tls-max", "1.2"), "200");
    assert.equal(await curl(secure, ...certificate("bob")), "403");
    assert.equal(await curl(secure), "403");
    assert.equal(await curl(plain), "403");
  },
);
