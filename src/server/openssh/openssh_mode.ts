import { setTimeout as sleep } from "node:timers/promises";
import type { Audit } from "../../audit/audit_event.ts";
import type { ServerConfig } from "../../config/schema.ts";
import { messageOf, PetitError } from "../../error.ts";
import type { Log } from "../../observe/log.ts";
import type { OnceAMinute } from "../../observe/once_a_minute.ts";
import type { Registration } from "../../registry/registry.ts";
import { CAUSES } from "../../tunnel/disconnect_cause.ts";
import type { SshTarget } from "../../tunnel/messages.ts";
import type { AccessRules } from "../access/access_rules.ts";
import { isOfSshdConfig } from "../check/check_item.ts";
import { opensshItems } from "../check/check_server.ts";
import type { Disconnects } from "../disconnects.ts";
import type { Hold } from "../hold.ts";
import type { PlainPeer } from "../plain_backchannel.ts";
import type { PlainDialogue } from "../plain_connection.ts";
import type { Registrar } from "../registrar.ts";
import type { Routes } from "../routes.ts";
import type { Tunnels } from "../tunnels.ts";
import type { ProvenClient } from "./proven_client.ts";
import { ProvenClients } from "./proven_clients.ts";
import { endSession, isListening } from "./end_session.ts";
import { KeptKeys } from "./kept_keys.ts";
import { ProvenDialogue } from "./proven_dialogue.ts";
import { type ReleaseParts, releasePort, releasePorts } from "./release_port.ts";
import { ReleaseTurns } from "./release_turns.ts";
import { reservedPorts } from "./reserved_ports.ts";
import { type SshdAccount, sshdAccount } from "./sshd_account.ts";
import { readSshdHostKeys } from "./sshd_host_keys.ts";
import { SshdTunnels } from "./sshd_tunnels.ts";

export interface OpensshModeParts {
  readonly config: ServerConfig;
  readonly routes: Routes;
  readonly access: Pick<AccessRules, "of">;
  readonly tunnels: Tunnels;
  readonly disconnects: Disconnects;
  readonly hold: Hold;
  readonly audit: Audit;
  readonly log: Log;
  readonly noise: OnceAMinute;
  registrar(): Registrar;
}

/** Milliseconds between two looks for clients that are silent. */
const KEEP_ALIVE_EVERY = 500;

/** Milliseconds for a client to take a registration off its tunnel that is gone. */
const WITHDRAWS_WITHIN = 1500;

/** All that is different where the system's sshd terminates the tunnels, and not this server's gateway. */
export class OpensshMode {
  readonly #parts: OpensshModeParts;
  readonly #account: SshdAccount;
  readonly #keys: KeptKeys;
  readonly #tunnels: SshdTunnels;
  readonly #clients = new ProvenClients();
  readonly #turns = new ReleaseTurns();
  #timer: NodeJS.Timeout | undefined;

  /** @throws PetitError `sshd-user-unknown`, `sshd-host-keys-unreadable` */
  constructor(parts: OpensshModeParts) {
    this.#parts = parts;
    const { config } = parts;
    this.#account = sshdAccount(config.ssh);
    // Without them nobody could register.
    readSshdHostKeys(config.ssh.sshdHostKeys);
    this.#keys = new KeptKeys({ ...parts, account: this.#account });
    this.#tunnels = new SshdTunnels({
      ...parts,
      uid: this.#account.uid,
      client: (fingerprint) => this.#clients.newest(fingerprint),
      end: (registration, inode, why) => void this.#end(registration, inode, why),
    });
  }

  /** @throws PetitError `authorized-keys-unusable`, `sockets-unreadable` */
  start(): void {
    const { log, routes, access, config: { ssh } } = this.#parts;
    this.#keys.start();
    try {
      this.#tunnels.start();
    } catch (error) {
      throw new PetitError("sockets-unreadable", `Cannot find out what sshd listens on: ${messageOf(error)}`, {
        hint: '[server.ssh] mode = "openssh" needs Linux, with /proc',
        cause: error,
      });
    }
    this.#timer = setInterval(() => this.#keepAlive(), KEEP_ALIVE_EVERY);
    log.info(
      { sshdPort: ssh.sshdPort, user: this.#account.name, file: this.#account.authorizedKeys },
      `Clients log in to sshd on port ${ssh.sshdPort} as ${this.#account.name}`,
    );
    void this.#tellOfSshd();
    const ruled = [...routes.all].filter(({ id }) => access.of(id).settings.rawAllow.length > 0).map(({ id }) => id);
    if (ruled.length > 0) {
      log.warn(
        { code: "raw-access-not-ours", ids: ruled },
        `Rules for connections to reverse ports (rawAllow) have no effect for ${ruled.length} registrations: the ports are sshd's, and petit sees nothing of who connects to them`,
      );
    }
  }

  /** What of sshd's settings is in the way of tunnels, or lets clients do more. */
  async #tellOfSshd(): Promise<void> {
    const { config, routes, log } = this.#parts;
    for (const item of await opensshItems(config, [...routes.all])) {
      const { name, state, detail, hint, line } = item;
      const facts = { code: "sshd-config", setting: name, hint, line };
      const sentence = isOfSshdConfig(item) ? `sshd_config, ${name}: ${detail}` : detail;
      if (state === "failed") log.error(facts, sentence);
      else if (state === "warning") log.warn(facts, sentence);
    }
  }

  /** Where clients connect that have registered. @throws PetitError `sshd-host-keys-unreadable` */
  get target(): SshTarget {
    const { ssh, backPort } = this.#parts.config;
    const hostKeys = readSshdHostKeys(ssh.sshdHostKeys).map(({ line }) => line).slice(0, 16);
    return { port: ssh.sshdPort, username: this.#account.name, backPort, hostKeys };
  }

  /** Speaks with a client that came through sshd to the plain backchannel. */
  prove(peer: PlainPeer): PlainDialogue {
    const { routes, audit, log, noise, tunnels, hold } = this.#parts;
    return new ProvenDialogue({
      ...{ routes, audit, log, noise, registrar: this.#parts.registrar(), clients: this.#clients },
      release: (registration, client) => this.#release(registration, client),
      onClosed: (client, closed) => {
        for (const id of tunnels.close(client, closed)) {
          log.info(
            { id, key: client.fingerprint, code: closed.get(id) },
            `The client of ${id} lets nobody in: ${closed.get(id)}`,
          );
          hold.forget(id);
        }
      },
      look: () => this.#tunnels.lookSoon(),
      onGone: (client) => void tunnels.close(client, new Map()),
    }, peer);
  }

  /** Asks silent clients for a sign of life, as the gateway does; it is sshd that ends them. */
  #keepAlive(): void {
    const { clientAliveInterval } = this.#parts.config.ssh;
    if (clientAliveInterval === 0) return;
    const now = performance.now();
    for (const client of this.#clients.all) {
      const isAsked = client.asked > client.answered && now - client.pinged < clientAliveInterval;
      if (!isAsked && now - client.heard > clientAliveInterval) client.ping();
    }
  }

  async #release(registration: Registration, client: ProvenClient): Promise<void> {
    const { port } = registration;
    await this.#tunnels.lookSoon();
    if (!this.#tunnels.isHeld(port) && !this.#releaseParts.reserved.has(port)) return;
    await this.#turns.take([registration], () => releasePort(registration, client, this.#releaseParts));
    this.#tunnels.lookNow();
  }

  /**
   * Frees the ports of a client of 0.6.x, before it is told that it may ask sshd for them.
   *
   * @param leaves whether an older client has been told to go
   * @throws PetitError `port-held`
   */
  async releasePorts(registrations: readonly Registration[], leaves: boolean): Promise<void> {
    await this.#tunnels.lookSoon();
    const held = registrations.filter(({ port }) => this.#tunnels.isHeld(port));
    if (held.length === 0) return;
    await this.#turns.take(held, () => releasePorts(held, leaves, this.#releaseParts));
    this.#tunnels.lookNow();
  }

  get #releaseParts(): ReleaseParts {
    const { log, noise, config } = this.#parts;
    return {
      ...{ clients: this.#clients, uid: this.#account.uid, backPort: config.backPort, log, noise },
      reserved: reservedPorts(config),
      willEnd: (id, cause) => this.#tunnels.willEnd(id, cause),
    };
  }

  /** Ends the session of sshd that holds a listening socket. */
  async #end({ id, fingerprint }: Registration, inode: number, why: string): Promise<void> {
    const { log } = this.#parts;
    this.#tunnels.willEnd(id, why);
    const clients = this.#clients.ofKey(fingerprint);
    for (const client of clients) client.dismiss(why);
    if (!await endSession(inode, this.#account.uid)) {
      log.warn(
        { code: "session-not-ended", id },
        `The connection of ${id} to sshd is another user's, and cannot be ended by this server${
          clients.length > 0 ? "; its client was asked to" : ""
        }`,
      );
    }
    this.#tunnels.lookNow();
  }

  /** Registrations may have changed. */
  follow(): void {
    this.#keys.follow();
    this.#tunnels.lookNow();
  }

  /** A registration is gone. sshd would go on listening for it: whoever may do so has been let in already. */
  drop(registration: Registration): void {
    const inode = this.#tunnels.get(registration.id)?.listener.inode;
    this.#tunnels.lookNow();
    if (inode === undefined) return;
    void sleep(WITHDRAWS_WITHIN, undefined, { ref: false }).then(async () => {
      const isLast = this.#parts.routes.ofKey(registration.fingerprint).length === 0;
      // Others of the same client go on through the same connection, if it has let go of that port.
      if (isLast || isListening(inode)) {
        await this.#end(registration, inode, isLast ? CAUSES.unregistered : CAUSES.operator);
      }
    });
  }

  /** A successor keeps the keys from now on, and takes the backchannels; what is in progress through the tunnels goes on here. */
  leave(): void {
    this.#keys.stop();
    for (const client of this.#clients.all) client.close();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#keys.stop();
    this.#tunnels.stop();
  }
}
