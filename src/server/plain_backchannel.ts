import { createServer, type Server as NetServer, type Socket } from "node:net";
import type { ServerConfig } from "../config/schema.ts";
import { PetitError } from "../error.ts";
import type { Log } from "../observe/log.ts";
import type { OnceAMinute } from "../observe/once_a_minute.ts";
import { plainAddress } from "../platform/address.ts";
import { closeListener, listen, stopListening } from "../platform/listen.ts";
import type { OpenFiles } from "../platform/open_files.ts";
import { resetConnection } from "../platform/reset.ts";
import type { LoginGuard, Startup } from "./login/login_guard.ts";
import { PlainConnection, type PlainDialogue } from "./plain_connection.ts";

/** A connection to the plain backchannel, and what its peer has shown. */
export interface PlainPeer {
  readonly connection: PlainConnection;
  /** Its peer has proven to hold the key of a registration: the limits for strangers are none for it, and its address is known. */
  proven(): void;
  /** What it asked for was refused, or cost as much as a login that fails: it weighs on its address. */
  charge(): void;
}

export interface PlainBackchannelParts {
  /** Read anew for each connection. */
  readonly config: ServerConfig;
  readonly guard: LoginGuard;
  readonly files: OpenFiles;
  readonly log: Log;
  readonly noise: OnceAMinute;
  /** Speaks version 1, that of 0.6.x. */
  legacy(peer: PlainPeer): PlainDialogue;
  /** Speaks with a client that proves its key (`prove1`); undefined where none is expected. */
  readonly prove?: (peer: PlainPeer) => PlainDialogue;
}

/** Milliseconds after which a silent connection is asked by the system whether it is still there. */
const KEEP_ALIVE = 60_000;

/** Whether anybody is to be served there. */
export function needsPlainBackchannel({ legacyBackchannel, ssh }: ServerConfig): boolean {
  return legacyBackchannel || ssh.mode === "openssh";
}

/** The address on which it listens; "*" is every one. */
export function backchannelHost({ backHost, legacyBackchannel }: ServerConfig): string {
  return backHost !== "" ? backHost : legacyBackchannel ? "*" : "127.0.0.1";
}

/**
 * The backchannel over TCP, for those who have none in an SSH connection. The first message says who is served how. Nothing that comes here is
 * authenticated by the connection: each dialogue asks for a proof of its own.
 */
export class PlainBackchannel {
  readonly #parts: PlainBackchannelParts;
  readonly #sockets = new Set<Socket>();
  readonly #listener: NetServer;

  constructor(parts: PlainBackchannelParts) {
    this.#parts = parts;
    parts.files.count(() => this.#sockets.size);
    const options = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE };
    this.#listener = createServer(options, (socket) => this.#accept(socket));
  }

  /** @returns the port. @throws PetitError as `listen` */
  async listen(): Promise<number> {
    const { config, log } = this.#parts;
    const port = await listen(this.#listener, backchannelHost(config), config.backPort, "[server] backPort", true);
    log.info({ port }, `Plain backchannel listens on port ${port}`);
    return port;
  }

  /** Takes no more connections; those that are open stay open. */
  refuseNew(): void {
    closeListener(this.#listener);
  }

  /** Ends all connections, and stops listening. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await stopListening(this.#listener);
  }

  #accept(socket: Socket): void {
    const { guard, config } = this.#parts;
    // Whoever has no address any more has left.
    if (socket.remoteAddress === undefined) return void socket.destroy();
    if (this.#isFull()) return resetConnection(socket);
    const address = plainAddress(socket.remoteAddress);
    // All clients come from there that have logged in to sshd: what one does must not count against the others.
    const isThroughSshd = config.ssh.mode === "openssh" && isLoopback(address);
    const startup = isThroughSshd ? undefined : guard.admit(address, () => socket.destroy());
    if (startup === undefined && !isThroughSshd) return resetConnection(socket);
    this.#sockets.add(socket);
    const shown = { proven: false, refused: false, slow: false };
    socket.on("error", () => {});
    socket.once("close", () => {
      this.#sockets.delete(socket);
      if (startup === undefined) return;
      if (shown.proven) guard.loggedOut(startup);
      else guard.failed(startup, { ...shown, wrongCodes: 0 });
    });
    if (startup === undefined) return this.#serve(socket, address, startup, shown);
    // Nothing of it is read before.
    guard.whenItsTurn(startup, () => {
      if (this.#sockets.has(socket)) this.#serve(socket, address, startup, shown);
    });
  }

  #serve(socket: Socket, address: string, startup: Startup | undefined, shown: Shown): void {
    const { log, guard } = this.#parts;
    const connection: PlainConnection = new PlainConnection(socket, address, {
      onFirst: (message) => this.#dialogue(message, peer),
      onForeign: (what, slow) => {
        shown.refused = !slow;
        shown.slow = slow;
        this.#tellForeign(what, address);
      },
      onFault: (error) =>
        log.error({ err: error, address }, "A message on the plain backchannel could not be answered"),
    });
    const peer: PlainPeer = {
      connection,
      proven: () => {
        if (shown.proven || !this.#sockets.has(socket)) return;
        shown.proven = true;
        if (startup !== undefined) guard.loggedIn(startup);
        connection.proven();
      },
      charge: () => shown.refused = true,
    };
  }

  #dialogue(message: unknown, peer: PlainPeer): PlainDialogue {
    const { config, legacy, prove } = this.#parts;
    if ((message as { type?: unknown } | null)?.type === "prove1") {
      if (prove !== undefined) return prove(peer);
      throw new PetitError(
        "not-here",
        `"prove1" is for servers with [server.ssh] mode = "openssh", and this one has "${config.ssh.mode}": its clients connect to its own port ${config.ssh.port}, and learn so by registering again`,
      );
    }
    if (config.legacyBackchannel) return legacy(peer);
    throw new PetitError(
      "version-refused",
      "This server does not serve clients of petit 0.6: upgrade the client, or set [server] legacyBackchannel",
    );
  }

  #isFull(): boolean {
    const { config, files, log, noise } = this.#parts;
    const { size } = this.#sockets;
    if (size < config.ssh.maxTunnels && files.hasOneForClient) return false;
    const most = size >= config.ssh.maxTunnels
      ? "as many as [server.ssh] maxTunnels allows"
      : `and this process may have only ${files.limit} files open`;
    noise.tell(
      "backchannels-full",
      (repeated) =>
        log.warn(
          { code: "backchannels-full", repeated },
          `${size} connections to the plain backchannel are open, ${most}`,
        ),
    );
    return true;
  }

  #tellForeign(what: string, address: string): void {
    const { log, noise } = this.#parts;
    noise.tell(`backchannel-foreign ${what}`, (repeated) =>
      log.warn(
        { code: "backchannel-foreign", address, repeated },
        what === "nothing"
          ? "A connection to the plain backchannel said nothing, and was closed"
          : `A connection to the plain backchannel spoke ${what}, and was closed`,
      ));
  }
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

/** What is known of a connection when it ends. */
interface Shown {
  proven: boolean;
  refused: boolean;
  slow: boolean;
}
