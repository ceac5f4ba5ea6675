import { setTimeout as sleep } from "node:timers/promises";
import type { ServerConfig } from "../../config/schema.ts";
import { messageOf } from "../../error.ts";
import type { Log } from "../../observe/log.ts";
import type { OnceAMinute } from "../../observe/once_a_minute.ts";
import { type ListeningSocket, listeningSockets, stillListening } from "../../platform/listening_sockets.ts";
import { ownersOfAll, remoteOfOwner } from "../../platform/socket_owner.ts";
import type { Registration } from "../../registry/registry.ts";
import { CAUSES, closedBy } from "../../tunnel/disconnect_cause.ts";
import type { Disconnects } from "../disconnects.ts";
import type { Routes } from "../routes.ts";
import { Served, type Tunnels } from "../tunnels.ts";
import type { ProvenClient } from "./proven_client.ts";
import { reservedPorts } from "./reserved_ports.ts";
import { SshdLink } from "./sshd_link.ts";
import { isForeign } from "./sshd_session.ts";
import { SshdTunnel } from "./sshd_tunnel.ts";

/** Milliseconds between two looks at what sshd listens on. */
const LOOK_EVERY = 250;
const LOOK_SOON = 10;

/** A look that is asked for waits so many times as long as the last one took: a thousand clients that come back ask for one each. */
const RESTS = 4;

/** Addresses in the order in which one is taken where sshd listens on several. */
const PREFERRED = ["127.0.0.1", "::1"];

export interface SshdTunnelsParts {
  readonly config: ServerConfig;
  readonly routes: Routes;
  readonly tunnels: Tunnels;
  readonly disconnects: Disconnects;
  readonly log: Log;
  readonly noise: OnceAMinute;
  /** Whom clients log in as: sshd listens for them as that user, and as nobody else. */
  readonly uid: number;
  /** The newest backchannel of a key. */
  client(fingerprint: string): ProvenClient | undefined;
  /** Ends what holds the listening socket of a registration, for the reason given. */
  end(registration: Registration, inode: number, why: string): void;
}

interface Known {
  readonly served: Served;
  readonly tunnel: SshdTunnel;
}

/**
 * Which registrations are connected where the system's sshd terminates their tunnels: those on whose ports it listens. The system is asked, a few
 * times a second, since sshd tells nobody.
 */
export class SshdTunnels {
  readonly #parts: SshdTunnelsParts;
  readonly #known = new Map<string, Known>();
  /** Why the tunnel of a registration ended, where that is known better than that it is not there any more. */
  readonly #causes = new Map<string, string>();
  #seen = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #soon: Promise<void> | undefined;
  #stopped = false;
  /** In this look. */
  #searches = 0;
  /** Sockets of which it is asked whether they listen still, and the answer for all of them. */
  #asked: ListeningSocket[] = [];
  #inodes: Promise<ReadonlySet<number>> | undefined;
  #held: ReadonlySet<number> = new Set();
  /** Milliseconds that the last look took. */
  #took = 0;
  /** Listening sockets, by their inodes, that another program than sshd holds. */
  #foreign: ReadonlySet<number> = new Set();

  constructor(parts: SshdTunnelsParts) {
    this.#parts = parts;
  }

  /** @throws Error where the system does not tell what listens */
  start(): void {
    this.look();
    this.#timer = setInterval(() => this.lookNow(), LOOK_EVERY);
  }

  /** Ends what is in progress through them. */
  stop(): void {
    clearInterval(this.#timer);
    this.#stopped = true;
    for (const { served, tunnel } of this.#known.values()) {
      this.#parts.tunnels.remove(served);
      tunnel.cut();
    }
    this.#known.clear();
  }

  get(id: string): SshdTunnel | undefined {
    return this.#known.get(id)?.tunnel;
  }

  /** Whether something listened on a registration's port at the last look, be it sshd or not. */
  isHeld(port: number): boolean {
    return this.#held.has(port);
  }

  /** What is to be told as the cause when the tunnel of a registration ends next. */
  willEnd(id: string, cause: string): void {
    this.#causes.set(id, cause);
  }

  /** Takes up what has changed since the last look. */
  look(): void {
    const { routes, config } = this.#parts;
    const began = performance.now();
    const reserved = reservedPorts(config);
    const found = new Map<number, ListeningSocket[]>();
    for (const socket of listeningSockets()) {
      if (routes.byPort(socket.port) === undefined || reserved.has(socket.port)) continue;
      const others = found.get(socket.port);
      if (others === undefined) found.set(socket.port, [socket]);
      else others.push(socket);
    }
    this.#seen = began;
    this.#held = new Set(found.keys());
    this.#searches = 0;
    for (const [id, known] of [...this.#known]) {
      const { tunnel, served } = known;
      const registration = routes.byId(id);
      const here = found.get(tunnel.listener.port) ?? [];
      const stands = registration !== undefined && registration.fingerprint === served.registration.fingerprint &&
        here.some(({ inode }) => inode === tunnel.listener.inode);
      if (!stands || served.lost) this.#remove(id, known);
      else tunnel.link.learnName();
    }
    const fresh = [...found].map(([port, sockets]) => ({ registration: routes.byPort(port) as Registration, sockets }))
      .filter(({ registration }) => !this.#known.has(registration.id));
    this.#tellForeign(fresh.flatMap(({ sockets }) => sockets));
    for (const { registration, sockets } of fresh) this.#take(registration, sockets);
    this.#took = performance.now() - began;
  }

  /** Finds out which sockets another program than sshd holds. Where that cannot be seen, their user is what is known. */
  #tellForeign(sockets: readonly ListeningSocket[]): void {
    const own = sockets.filter(({ uid }) => uid === this.#parts.uid).map(({ inode }) => inode);
    const known = own.filter((inode) => this.#foreign.has(inode));
    const owners = ownersOfAll(own.filter((inode) => !this.#foreign.has(inode)));
    const found = [...owners].filter(([, owners]) => isForeign(owners)).map(([inode]) => inode);
    this.#foreign = new Set([...known, ...found]);
  }

  /** The same, unless that has just been done: then in a moment. Resolves when it has. Never rejects. */
  lookSoon(): Promise<void> {
    const wait = this.#seen + Math.max(LOOK_SOON, RESTS * this.#took) - performance.now();
    if (wait <= 0) return Promise.resolve(this.lookNow());
    return this.#soon ??= sleep(wait).then(() => {
      this.#soon = undefined;
      this.lookNow();
    });
  }

  /** The same at once, where something goes wrong too. */
  lookNow(): void {
    const { noise, log } = this.#parts;
    if (this.#stopped) return;
    try {
      this.look();
    } catch (error) {
      noise.tell(
        "sockets",
        (repeated) =>
          log.error(
            { code: "sockets-unreadable", repeated },
            `Cannot find out what sshd listens on: ${messageOf(error)}`,
          ),
      );
    }
  }

  #take(registration: Registration, sockets: readonly ListeningSocket[]): void {
    const { uid, log, noise, tunnels, config } = this.#parts;
    const { id, port, fingerprint } = registration;
    const own = sockets.filter((socket) => socket.uid === uid && !this.#foreign.has(socket.inode));
    if (own.length === 0) {
      const others = [...new Set(sockets.map((socket) => socket.uid))].join(", ");
      noise.tell(`port-not-sshd ${id}`, (repeated) =>
        log.warn(
          { code: "port-not-sshd", id, port, repeated },
          `Port ${port} of ${id} is listened on by a program of the user ${others} and not by sshd for its client: no caller is sent there`,
        ));
      return;
    }
    const listener = PREFERRED.map((host) => own.find((socket) => socket.host === host)).find(Boolean) ??
      own[0] as ListeningSocket;
    const link = new SshdLink(() => this.#parts.client(fingerprint), () => this.#seen);
    link.learnName();
    const tunnel = new SshdTunnel(listener, link, {
      gone: () => void this.lookSoon(),
      listens: () => this.#listens(listener),
      foreseen: (_, why) => this.willEnd(id, why),
      end: (tunnel, why) => this.#parts.end(registration, tunnel.listener.inode, why),
    });
    const address = this.#addressOf(listener);
    const served = new Served(registration, tunnel, listener.host, port, address, config.ssh);
    this.#known.set(id, { served, tunnel });
    this.#causes.delete(id);
    log.info({ id, address, key: fingerprint, port }, `${id} is connected`);
    tunnels.add(served);
  }

  /** Whether a socket listens still: another one on its port, since the last look, is somebody else's. Asked once for all who ask at the same time. */
  async #listens(socket: ListeningSocket): Promise<boolean> {
    this.#asked.push(socket);
    this.#inodes ??= new Promise((resolve, reject) =>
      setImmediate(() => {
        const asked = this.#asked;
        this.#asked = [];
        this.#inodes = undefined;
        try {
          resolve(stillListening(asked));
        } catch (error) {
          reject(error as Error);
        }
      })
    );
    return (await this.#inodes).has(socket.inode);
  }

  #addressOf({ inode }: ListeningSocket): string {
    if (this.#searches++ >= MAX_SEARCHES) return UNKNOWN_ADDRESS;
    return remoteOfOwner(inode, this.#parts.config.ssh.sshdPort) ?? UNKNOWN_ADDRESS;
  }

  #remove(id: string, { served, tunnel }: Known): void {
    const { tunnels, disconnects, log } = this.#parts;
    tunnel.stop();
    this.#known.delete(id);
    tunnels.remove(served);
    const cause = this.#causes.get(id) ?? (this.#parts.routes.byId(id) ? closedBy("client") : CAUSES.unregistered);
    this.#causes.delete(id);
    tunnels.ended([id], cause);
    const { fingerprint } = served.registration;
    const lasted = Math.round(Date.now() - served.since);
    disconnects.add(fingerprint, {
      tunnel: tunnel.link.tunnelId,
      ids: [id],
      address: served.clientAddress,
      lasted,
      cause,
    });
    log.info({ id, ids: [id], key: fingerprint, cause }, `${id} disconnected: ${cause}`);
  }
}

/** What is told as the client's address where only sshd knows it. */
const UNKNOWN_ADDRESS = "unknown";

/** Addresses that are looked for in one look: each costs a walk through all processes. */
const MAX_SEARCHES = 4;
