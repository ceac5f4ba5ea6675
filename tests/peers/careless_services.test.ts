import assert from "node:assert/strict";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { SMUGGLERS } from "../proxy/smuggling_pairs.ts";
import { startExecutables } from "../world/executable.ts";
import { freePort } from "../world/ports.ts";
import { Background } from "../world/processes.ts";
import { exchange, head, RawCaller, statusOf } from "../world/raw_http.ts";
import { peerTest, program } from "./peer_test.ts";

const PYTHON = fileURLToPath(new URL("./careless_service.py", import.meta.url));
/** For WSGI servers, which find it in the current folder. */
const APP = "careless_service:app";
const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const NODE = fileURLToPath(new URL("./careless_service.mjs", import.meta.url));

/** A server that people really use, with keep-alive. */
interface Service {
  readonly name: string;
  readonly needs: string[];
  readonly command: (port: number) => [program: string, ...args: string[]];
  /** How many of the smugglers fool it at least where nothing stands before it. */
  readonly fooledBy: number;
}

const SERVICES: readonly Service[] = [
  {
    name: "Python's http.server",
    needs: ["python3"],
    command: (port) => ["python3", PYTHON, String(port)],
    fooledBy: 8,
  },
  {
    name: "Node's http with insecureHTTPParser",
    needs: ["node"],
    command: (port) => ["node", NODE, String(port)],
    fooledBy: 8,
  },
  {
    name: "gunicorn",
    needs: ["gunicorn"],
    command: (port) => ["gunicorn", "-b", `127.0.0.1:${port}`, "-k", "gthread", "--threads", "8", APP],
    fooledBy: 8,
  },
  {
    name: "waitress",
    needs: ["waitress-serve"],
    command: (port) => ["waitress-serve", "--listen", `127.0.0.1:${port}`, APP],
    fooledBy: 8,
  },
];

const WHOLE = head("GET /smuggled HTTP/1.1", "Host: nowhere.example");
const PREFIX = "GET /smuggled HTTP/1.1\r\nHost: nowhere.example\r\nX-A: ";

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" }, () => resolve(true));
    socket.on("error", () => resolve(false)).on("connect", () => socket.destroy());
  });
}

for (const { name, needs, command, fooledBy } of SERVICES) {
  peerTest(`${name} as a service gets one request at a time, whatever a caller hides in it`, needs, async (t) => {
    const port = await freePort();
    const [file, ...args] = command(port);
    const service = new Background(program(file), args, {
      cwd: FOLDER,
      env: { PYTHONPATH: FOLDER, PYTHONDONTWRITEBYTECODE: "1" },
    });
    t.after(() => service.stop());
    // None of them says in a way of its own that it is ready.
    while (!await accepts(port)) await new Promise((resolve) => setTimeout(resolve, 50));
    /** What it has seen since then; \`marker\` is the target of the last request. */
    const seenSince = async (from: number, marker: string) => {
      await service.line((line) => line.startsWith("seen ") && line.endsWith(marker));
      return service.lines.slice(from).filter((line) => line.startsWith("seen ")).map((line) => line.slice(5));
    };

    const fooled: string[] = [];
    for (const [index, { what, bytes }] of SMUGGLERS.entries()) {
      const from = service.lines.length;
      const caller = new RawCaller(port).send(bytes("127.0.0.1", WHOLE)).end();
      // Some do not close behind what they cannot make sense of.
      await Promise.race([caller.closed, new Promise((resolve) => setTimeout(resolve, 200))]);
      caller.close();
      await exchange(port, head(`GET /bare-${index} HTTP/1.1`, "Host: x", "Connection: close"));
      if ((await seenSince(from, `/bare-${index}`)).some((line) => line.includes("/smuggled"))) fooled.push(what);
    }
    t.diagnostic(`${name} is fooled by ${fooled.length} of ${SMUGGLERS.length} where nothing stands before it`);
    assert.ok(fooled.length >= fooledBy, fooled.join("; "));

    const { proxyPort, host } = await startExecutables(t, port);
    const begun = service.lines.length;
    let number = 0;
    for (const { what, bytes } of SMUGGLERS) {
      for (const inside of [WHOLE, PREFIX]) {
        const from = service.lines.length;
        const caller = new RawCaller(proxyPort).send(bytes(host, inside)).end();
        assert.doesNotMatch(await caller.all(), /smuggled/, what);
        const path = `/other-${number++}`;
        const answer = await exchange(proxyPort, head(`GET ${path} HTTP/1.1`, `Host: ${host}`, "Connection: close"));
        assert.equal(statusOf(answer), 200, what);
        assert.ok(answer.includes(`seen GET ${path}\n`), `${what}: ${answer}`);
        // An attack that is refused in the middle of its body may reach the service after the other one.
        for (const line of await seenSince(from, path)) assert.match(line, /^(?:\S+ \/attack|GET \/other-\d+)$/, what);
      }
    }
    const all = service.lines.slice(begun).filter((line) => line.startsWith("seen "));
    const others = all.filter((line) => line.includes("/other-"));
    assert.deepEqual(new Set(others).size, number);
    assert.equal(others.length, number, "each of the others once");
    const reached = all.length - others.length;
    assert.ok(reached <= number, `${reached} requests came of ${number} attacks`);
    t.diagnostic(`${reached} of ${number} reached it, as one request each`);
    assert.ok(reached > 0);
  });
}
