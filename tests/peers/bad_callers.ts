import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { connect as connectTls } from "node:tls";
import { FIRST } from "../world/certificates.ts";
import { ClientProcess, type Executables, ServerProcess } from "../world/executable.ts";
import { exchange, statusOf } from "../world/raw_http.ts";
import { RawPeer } from "../world/raw_peer.ts";
import { listenOn } from "../world/world.ts";

/** What bad callers knock at. */
export type Door = "SSH gateway" | "HTTP proxy" | "HTTPS proxy" | "reverse port";

/** A server with certificates, a client and an HTTP service. */
export class BesiegedWorld {
  readonly #world: Executables;
  readonly #servicePort: number;

  private constructor(world: Executables, servicePort: number) {
    this.#world = world;
    this.#servicePort = servicePort;
  }

  /** @param patience how long a connection may take to log in, or to send the head of a request */
  static async make(t: TestContext, patience = "2s"): Promise<BesiegedWorld> {
    const service = createServer((_, response) => response.end("fine"));
    const servicePort = await listenOn(service);
    t.after(() => {
      service.closeAllConnections();
      service.close();
    });
    const server = await ServerProcess.init(t, {
      "server.headTimeout": patience,
      "server.drainFor": "1s",
      "server.ssh.loginGraceTime": patience,
    });
    const folder = join(server.folder, "certificates");
    mkdirSync(folder);
    writeFileSync(join(folder, "server.key"), FIRST.key, { mode: 0o600 });
    writeFileSync(join(folder, "server.crt"), FIRST.cert);
    await server.start();
    await server.daemon.logged((line) => line["port"] === server.secureProxyPort);
    const client = await new ClientProcess(t).register(await server.joinCode(2), servicePort);
    await client.start();
    const { id, port: rawPort } = client;
    const world = { server, client, id, proxyPort: server.proxyPort, rawPort, host: `${id}.example.com` };
    return new BesiegedWorld(world, servicePort);
  }

  /** A Host field that leads to the service. */
  get host(): string {
    return this.#world.host;
  }

  portOf(door: Door): number {
    const { server, rawPort } = this.#world;
    if (door === "SSH gateway") return server.sshPort;
    if (door === "HTTP proxy") return server.proxyPort;
    return door === "HTTPS proxy" ? server.secureProxyPort : rawPort;
  }

  /** Stops the server in order; rejects when it does not end. */
  stopServer(): Promise<void> {
    return this.#world.server.daemon.stop();
  }

  /** How many lines both daemons have logged. */
  get logLines(): number {
    return this.#world.server.daemon.log.length + this.#world.client.daemon.log.length;
  }

  /** Sends a good request through each of the doors for callers. */
  async assertAnswers(): Promise<void> {
    const request = `GET / HTTP/1.1\r\nHost: ${this.#world.host}\r\nConnection: close\r\n\r\n`;
    for (const door of ["HTTP proxy", "reverse port"] as const) {
      assert.equal(statusOf(await exchange(this.portOf(door), request)), 200, door);
    }
    const options = { host: "127.0.0.1", port: this.portOf("HTTPS proxy"), ca: FIRST.cert };
    const caller = new RawPeer(connectTls(options));
    assert.equal(statusOf(await caller.send(request).all()), 200, "HTTPS proxy");
  }

  /** Lets a new client in by the door for clients. */
  async assertRegisters(t: TestContext): Promise<void> {
    await new ClientProcess(t).register(await this.#world.server.joinCode(), this.#servicePort);
  }
}

/** Sends bytes, goes away as told, and settles when the connection is gone. */
export function knock(port: number, bytes: Buffer, leave: "end" | "reset"): Promise<void> {
  return new Promise((resolve) => {
    const socket = knocking(port, resolve);
    socket.on("connect", () => {
      socket.write(bytes, () => leave === "end" ? socket.end() : socket.resetAndDestroy());
    });
  });
}

/** Sends bytes and stays. Settles when they are sent. */
export function linger(t: TestContext, port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = knocking(port, () => {});
    t.after(() => socket.destroy());
    socket.on("connect", () => void socket.write(bytes, () => resolve()));
  });
}

/** Sends bytes one at a time, and settles when the server has had enough. */
export function drip(port: number, bytes: Buffer, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    let sent = 0;
    const timer = setInterval(() => {
      if (sent < bytes.length) socket.write(bytes.subarray(sent, ++sent));
    }, milliseconds);
    const socket = knocking(port, () => {
      clearInterval(timer);
      resolve();
    });
  });
}

function knocking(port: number, onGone: () => void): Socket {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  // Being reset is what a bad caller has to expect.
  socket.on("error", () => {});
  socket.on("close", onGone);
  socket.resume();
  return socket;
}
