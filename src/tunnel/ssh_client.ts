import { connect, type Socket } from "node:net";
import { messageOf, PetitError, systemCode } from "../error.ts";
import type { Channel } from "./channel.ts";
import { causeOfError, CAUSES, causeSaid, closedBy, noSignOfLife } from "./disconnect_cause.ts";
import { type AliveTimes, keepAlive } from "./keepalive.ts";
import { HostKeysHeard } from "./host_keys_heard.ts";
import { describeKey, type PublicKey } from "./keys.ts";
import { type IncomingOpen, Link } from "./link.ts";
import { type RekeyTimes, renewKeys } from "./rekey.ts";
import { clientOffer, signRsaWithSha2 } from "./offer.ts";
import { openFailure } from "./open_failure.ts";
import { Client } from "./ssh_library.ts";
import { Wire } from "./wire.ts";

export interface SshClientOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** PEM; undefined where nobody is to be logged in. */
  readonly privateKey?: string;
  /** Sent after the key has been accepted, where the server asks for it. */
  readonly password?: string;
  /** "petit_1.0.0": what follows "SSH-2.0-". */
  readonly software: string;
  /** Decides whether the server is the right one; throws a PetitError where it is not. `greeting` is its identification (RFC 4253, section 4.2). */
  readonly verifyHost: (key: PublicKey, greeting: string) => void;
  /** Milliseconds for the TCP connection, and again for the login. */
  readonly timeout: number;
  readonly alive: AliveTimes;
  /** Read anew each time. */
  readonly rekey: RekeyTimes;
  readonly signal: AbortSignal;
  /** Told of the byte stream once it stands: what has been heard of the server, before the login is done. */
  readonly onWire?: (wire: Pick<Wire, "lastReceived" | "bytesIn">) => void;
}

/** A logged-in connection to the gateway. */
export class SshClientConnection {
  /** Settles when the connection is gone, with the reason in words. */
  readonly closed: Promise<string>;
  /** Set by whoever wants the forwarded connections; those that come before are refused. */
  onForwarded: (forwarded: IncomingOpen) => void = (forwarded) => forwarded.refuse("nobody serves this forward");
  /** The same for those that are for no forward of this client's: the server asks for what it was not given. Refuses them. */
  onUnasked: (forwarded: IncomingOpen) => void = (forwarded) => forwarded.prohibit("");
  readonly #client: InstanceType<typeof Client>;
  readonly link: Link;
  /** What was connected to. */
  readonly server: { readonly host: string; readonly port: number };
  /** The key that the server has proven, and `verifyHost` accepted. */
  readonly hostKey: PublicKey;
  /** What it says of its host keys after that. */
  readonly hostKeys: HostKeysHeard;
  readonly #asked = new Set<string>();

  constructor(
    client: InstanceType<typeof Client>,
    link: Link,
    closed: Promise<string>,
    host: Pick<SshClientConnection, "server" | "hostKey" | "hostKeys">,
  ) {
    this.#client = client;
    this.link = link;
    this.closed = closed;
    this.server = host.server;
    this.hostKey = host.hostKey;
    this.hostKeys = host.hostKeys;
    link.acceptOpens("forwarded-tcpip", (open) => {
      if (this.#asked.has(`${open.address}:${open.port}`)) this.onForwarded(open);
      else this.onUnasked(open);
    });
  }

  /** For how many milliseconds nothing has come from the server. */
  get silent(): number {
    return performance.now() - this.link.wire.lastReceived;
  }

  /** The address of this machine that the connection goes out from; undefined where it is gone. */
  get localAddress(): string | undefined {
    return this.link.wire.localAddress;
  }

  /** Asks the server to forward `address:port` to this client. @throws PetitError `forward-refused` or `connection-lost` */
  forward(address: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.link.wire.writable) return reject(gone());
      this.#client.forwardIn(address, port, (error) => {
        if (error) {
          reject(
            new PetitError("forward-refused", `The server refuses to open port ${port} for this client`, {
              cause: error,
            }),
          );
        } else {
          this.#asked.add(`${address}:${port}`);
          resolve();
        }
      });
    });
  }

  /**
   * Takes back what `forward` asked for. Settles when the server has heard it: from then on it opens no channel for it; those that are
   * open stay. A connection that is gone has forgotten it anyway.
   */
  cancelForward(address: string, port: number): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      if (!this.link.wire.writable) return resolve();
      this.#client.unforwardIn(address, port, () => resolve());
    });
    return Promise.race([answered, this.closed]).then(() => void this.#asked.delete(`${address}:${port}`));
  }

  /** Opens a channel to `host:port` as the server sees it. */
  open(host: string, port: number): Promise<Channel> {
    return new Promise((resolve, reject) => {
      if (!this.link.wire.writable) return reject(gone());
      this.#client.forwardOut("127.0.0.1", 0, host, port, (error, stream) => {
        if (error) reject(new Error(openFailure(error), { cause: error }));
        else resolve(stream as unknown as Channel);
      });
    });
  }

  /** The name that both ends have for this connection (link.ts). */
  get tunnelId(): string {
    return this.link.tunnelId;
  }

  /** @param why what the server is told */
  end(why: string = CAUSES.clientStopped): void {
    this.link.end(why);
  }
}

/**
 * Connects and logs in.
 *
 * @throws PetitError with one of the codes `server-name-unknown`, `server-refused`, `server-unreachable`, `server-silent`, `server-not-ssh`, `host-key-…`
 * (from `verifyHost`), `login-refused`, `connection-lost`
 */
export async function connectSsh(options: SshClientOptions): Promise<SshClientConnection> {
  const socket = await connectTcp(options);
  const wire = new Wire(socket);
  options.onWire?.(wire);
  const client = new Client();
  return await new Promise<SshClientConnection>((resolve, reject) => {
    const where = `${options.host}:${options.port}`;
    let failure: unknown;
    let verified: Buffer | undefined;
    let loggedIn = false;
    let closed!: (cause: string) => void;
    const whenClosed = new Promise<string>((settle) => closed = settle);
    const timer = setTimeout(
      () => fail(isSsh(wire.greeting) ? silent(where, options.timeout) : explain(undefined, where, wire.greeting)),
      options.timeout,
    );
    const onAbort = () => {
      failure ??= loggedIn ? new Error(CAUSES.clientStopped) : options.signal.reason;
      if (loggedIn) link.end(CAUSES.clientStopped);
      else wire.destroy();
    };
    options.signal.addEventListener("abort", onAbort);

    function fail(error: unknown): void {
      failure ??= error;
      wire.destroy();
    }

    client.on("error", (error) => {
      if (!loggedIn) return void (failure ??= error);
      const why = causeOfError(error);
      failure ??= new Error(why, { cause: error });
      if ((error as { level?: string }).level !== "client-socket") link.complain(why);
    });
    wire.once("close", () => {
      clearTimeout(timer);
      options.signal.removeEventListener("abort", onAbort);
      client.destroy();
      const error = failure ?? new Error(closedBy("server"));
      closed(messageOf(error));
      if (!loggedIn) reject(explain(error, where, wire.greeting));
    });
    client.on("ready", () => {
      loggedIn = true;
      clearTimeout(timer);
      const stop = keepAlive(
        wire,
        options.alive,
        () => link.ping(),
        () => {
          const why = noSignOfLife("server", performance.now() - wire.lastReceived);
          failure ??= new Error(why);
          link.abandon(why);
        },
      );
      wire.once("close", stop);
      wire.once("close", renewKeys(link, options.rekey));
      const hostKey = describeKey(verified as Buffer);
      const server = { host: options.host, port: options.port };
      resolve(new SshClientConnection(client, link, whenClosed, { server, hostKey, hostKeys }));
    });
    client.connect({
      sock: wire as never,
      ident: options.software,
      username: options.user,
      algorithms: clientOffer as never,
      readyTimeout: 0,
      hostVerifier: (blob: Buffer) => {
        // Each exchange of keys asks again. What is pinned meanwhile is for the next connection.
        if (verified?.equals(blob) === true) return true;
        signRsaWithSha2(client);
        try {
          options.verifyHost(describeKey(blob), wire.greeting);
          verified = Buffer.from(blob);
          return true;
        } catch (error) {
          failure ??= error;
          return false;
        }
      },
      authHandler: [
        ...(options.privateKey === undefined
          ? []
          : [{ type: "publickey", username: options.user, key: options.privateKey }]),
        ...(options.password === undefined
          ? []
          : [{ type: "password", username: options.user, password: options.password }]),
      ] as never,
    });
    // The library has made its protocol object by now, and has not used it yet.
    const link = new Link(
      client,
      wire,
      (what) => failure ??= new Error(`the SSH protocol was broken (the server ${what})`),
      (reason, description) => {
        if (loggedIn) failure ??= new Error(causeSaid("server", reason, description));
      },
    );
    const hostKeys = new HostKeysHeard(client);
  });
}

async function connectTcp(options: SshClientOptions): Promise<Socket> {
  const where = `${options.host}:${options.port}`;
  options.signal.throwIfAborted();
  const socket = connect({ host: options.host, port: options.port, noDelay: true, allowHalfOpen: true });
  const abort = () => socket.destroy(options.signal.reason);
  options.signal.addEventListener("abort", abort);
  const timer = setTimeout(() => socket.destroy(unreachable(where, "no answer")), options.timeout);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return socket;
  } catch (error) {
    socket.destroy();
    throw explain(error, where, "");
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", abort);
    socket.removeAllListeners();
  }
}

const gone = () => new PetitError("connection-lost", "The connection to the server is gone");

const unreachable = (where: string, why: string, cause?: unknown) =>
  new PetitError("server-unreachable", `Cannot reach ${where}: ${why}`, {
    hint: "Check the address, and that a firewall here lets connections out to that port",
    cause,
  });

const silent = (where: string, timeout: number) =>
  new PetitError(
    "server-silent",
    `${where} accepts connections but did not finish the SSH login within ${timeout / 1000} s`,
    {
      hint: "Check that the address and the port are those of a petit server's SSH gateway",
    },
  );

/** Whether the first bytes of a server may be those of SSH (RFC 4253, section 4.2); nothing yet may. */
function isSsh(greeting: string): boolean {
  return greeting.length < 4 ? "SSH-".startsWith(greeting) : greeting.startsWith("SSH-");
}

/** Turns what went wrong before the login was done into a sentence. */
function explain(error: unknown, where: string, greeting: string): unknown {
  if (error instanceof PetitError) return error;
  const host = where.slice(0, where.lastIndexOf(":"));
  const code = systemCode(error);
  if (!isSsh(greeting)) {
    const what = greeting.startsWith("HTTP/") ? "an HTTP server" : "something that does not speak SSH";
    return new PetitError("server-not-ssh", `${where} is ${what}, not a petit server's SSH gateway`, {
      hint: "The gateway has a port of its own, 2222 by default",
      cause: error,
    });
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN" || code === "EAI_NONAME" || code === "DNS_ENOTFOUND") {
    return new PetitError("server-name-unknown", `The name "${host}" does not resolve`, {
      hint: "Check the spelling, and the name servers of this machine",
      cause: error,
    });
  }
  if (code === "ECONNREFUSED") {
    return new PetitError("server-refused", `Nothing listens on ${where}`, {
      hint: 'Check the port, and that "petit server" is running there',
      cause: error,
    });
  }
  if (code !== undefined && /^E[A-Z]+$/.test(code) && code !== "ECONNRESET" && code !== "EPIPE") {
    return unreachable(where, `${messageOf(error)}`, error);
  }
  if ((error as { level?: string }).level === "client-authentication") {
    return new PetitError("login-refused", `${where} does not accept this client's key or join code`, { cause: error });
  }
  if (error instanceof Error && error.name === "AbortError") return error;
  return new PetitError(
    "connection-lost",
    `The connection to ${where} ended before the login was done: ${messageOf(error)}`,
    {
      // A server says nothing at all to whom it does not let try.
      ...(greeting === ""
        ? {
          hint: "Try again in a few minutes: a server closes connections at once where many logins have failed lately",
        }
        : {}),
      cause: error,
    },
  );
}
