import { createServer, type Server as NetServer, type Socket } from "node:net";
import type { ServerConfig } from "../config/schema.ts";
import { PetitError } from "../error.ts";
import type { Log } from "../observe/log.ts";
import type { OnceAMinute } from "../observe/once_a_minute.ts";
import { plainAddress } from "../platform/address.ts";
import { closeListener, listen, stopListening } from "../platform/listen.ts";
import type { OpenFiles } from "../platform/open_files.ts";
import { resetConnection } from "../platform/reset.ts";
import { KeyBackchannels } from "./key_backchannels.ts";
import type { LoginGuard, Startup } from "./login/login_guard.ts";
import { PlainConnection, type PlainDialogue } from "./plain_connection.ts";
import { UnprovenPlaces } from "./unproven_places.ts";

/** A connection to the plain backchannel, and what its peer has shown. */
export interface PlainPeer {
  readonly connection: PlainConnection;
  /**
   * Its peer has proven to hold the key of a registration: the limits for strangers are none for it, and its address is known.
   *
   * @throws PetitError `channel-refused` where that key has too many connections already
   */
  proven(fingerprint: string): void;
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
  readonly #unproven = new UnprovenPlaces();
  readonly #proven = new KeyBackchannels();
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
    const { guard, config: { ssh } } = this.#parts;
    // Whoever has no address any more has left.
    if (socket.remoteAddress === undefined) return void socket.destroy();
    if (this.#isFull()) return resetConnection(socket);
    const address = plainAddress(socket.remoteAddress);
    const visitor: Visitor = { ...{ socket, address }, key: undefined, refused: false, slow: false, leave: () => {} };
    // All clients come from there that have logged in to sshd: what one does must not count against the others.
    const isThroughSshd = ssh.mode === "openssh" && isLoopback(address);
    if (!isThroughSshd && this.#admit(visitor) === undefined) return resetConnection(socket);
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => {
      this.#sockets.delete(socket);
      visitor.leave();
    });
    if (visitor.startup === undefined) {
      visitor.leave = this.#unproven.take(address, ssh.loginGraceTime, (crowded) => {
        if (crowded) this.#tellCrowded();
        socket.destroy();
      });
      return this.#serve(visitor);
    }
    // Nothing of it is read before.
    guard.whenItsTurn(visitor.startup, () => {
      if (this.#sockets.has(socket)) this.#serve(visitor);
    });
  }

  /** Has it count as a login; undefined where it is to be closed. */
  #admit(visitor: Visitor): Startup | undefined {
    const { guard } = this.#parts;
    const startup = guard.admit(visitor.address, () => visitor.socket.destroy());
    if (startup === undefined) return undefined;
    visitor.startup = startup;
    visitor.leave = () => {
      const { key, refused, slow } = visitor;
      if (key !== undefined) guard.loggedOut(startup);
      else guard.failed(startup, { refused, slow, wrongCodes: 0 });
    };
    return startup;
  }

  #serve(visitor: Visitor): void {
    const { log } = this.#parts;
    const { socket, address } = visitor;
    const connection: PlainConnection = new PlainConnection(socket, address, {
      onFirst: (message) => this.#dialogue(message, peer, visitor),
      onForeign: (what, slow) => {
        visitor.refused = !slow;
        visitor.slow = slow;
        this.#tellForeign(what, address);
      },
      onFault: (error) =>
        log.error({ err: error, address }, "A message on the plain backchannel could not be answered"),
    });
    const peer: PlainPeer = {
      connection,
      proven: (fingerprint) => {
        if (visitor.key === undefined && this.#sockets.has(socket)) this.#isProven(visitor, connection, fingerprint);
      },
      charge: () => visitor.refused = true,
    };
  }

  /** @throws PetitError `channel-refused` */
  #isProven(visitor: Visitor, connection: PlainConnection, fingerprint: string): void {
    const { guard } = this.#parts;
    try {
      this.#proven.add(fingerprint, connection);
    } catch (error) {
      this.#tellTooMany(fingerprint);
      throw error;
    }
    visitor.socket.once("close", () => this.#proven.delete(fingerprint, connection));
    visitor.key = fingerprint;
    if (visitor.startup !== undefined) guard.loggedIn(visitor.startup);
    else visitor.leave();
    connection.proven();
  }

  #dialogue(message: unknown, peer: PlainPeer, visitor: Visitor): PlainDialogue {
    const { config, legacy, prove } = this.#parts;
    if ((message as { type?: unknown } | null)?.type === "prove1") {
      if (prove !== undefined) return prove(peer);
      throw new PetitError(
        "not-here",
        `"prove1" is for servers with [server.ssh] mode = "openssh", and this one has "${config.ssh.mode}": its clients connect to its own port ${config.ssh.port}, and learn so by registering again`,
      );
    }
    if (!config.legacyBackchannel) {
      throw new PetitError(
        "version-refused",
        "This server does not serve clients of petit 0.6: upgrade the client, or set [server] legacyBackchannel",
      );
    }
    return visitor.startup === undefined ? this.#guarded(visitor, () => legacy(peer)) : legacy(peer);
  }

  /** A client of 0.6.x has not logged in anywhere: it counts as all strangers do, wherever it is. */
  #guarded(visitor: Visitor, begin: () => PlainDialogue): PlainDialogue {
    visitor.leave();
    visitor.leave = () => {};
    const startup = this.#admit(visitor);
    if (startup === undefined) {
      visitor.socket.destroy();
      throw new PetitError("login-throttled", "Too many connections from there have failed");
    }
    const dialogue = begin();
    const itsTurn = new Promise<void>((resolve) => this.#parts.guard.whenItsTurn(startup, resolve));
    return {
      take: async (message) => {
        await itsTurn;
        await dialogue.take(message);
      },
      closed: () => dialogue.closed(),
    };
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

  #tellCrowded(): void {
    const { log, noise } = this.#parts;
    noise.tell("backchannels-crowded", (repeated) =>
      log.warn(
        { code: "backchannels-crowded", repeated },
        "So many connections to the plain backchannel have come through sshd and have proven nothing yet that the oldest was closed",
      ));
  }

  #tellTooMany(key: string): void {
    const { log, noise } = this.#parts;
    noise.tell(`backchannels-of ${key}`, (repeated) =>
      log.warn(
        { code: "channel-refused", key, repeated },
        "A client asked for another connection to the plain backchannel, and has as many as one may have",
      ));
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

/** A connection, and what is known of it. */
interface Visitor {
  readonly socket: Socket;
  readonly address: string;
  /** Undefined for one that came through sshd. */
  startup?: Startup;
  /** Fingerprint of the key that it has proven to hold. */
  key: string | undefined;
  refused: boolean;
  slow: boolean;
  /** Gives its place back. */
  leave(): void;
}
