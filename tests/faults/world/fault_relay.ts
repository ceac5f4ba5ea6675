import { connect, createServer, type Server, type Socket } from "node:net";
import type { Scope } from "../../world/world.ts";
import { type DirectionFaults, type Faults, healthy } from "./faults.ts";
import { Line } from "./line.ts";

/** One connection through a relay. */
interface Link {
  readonly near: Socket;
  readonly far: Socket;
  readonly up: Line;
  readonly down: Line;
  /** A black hole for good: `silentAfter`, or forgotten. */
  lost: boolean;
}

/** A change of a relay's faults: what is left out stays. */
export interface Change {
  readonly up?: Partial<DirectionFaults>;
  readonly down?: Partial<DirectionFaults>;
  /** The same for both directions. */
  readonly both?: Partial<DirectionFaults>;
  readonly accepting?: Faults["accepting"];
}

const LOST: DirectionFaults = { ...healthy, hole: "drop" };

/** A TCP relay on loopback whose faults can be changed while it runs. */
export class FaultRelay {
  /** Where it listens on 127.0.0.1, also while it refuses. */
  port = 0;
  /** Connections accepted so far. */
  accepted = 0;
  /** Bytes handed on so far by connections that have ended. */
  readonly #ended = { up: 0, down: 0 };
  readonly #target: number;
  readonly #random: () => number;
  readonly #faults: Faults = { up: { ...healthy }, down: { ...healthy }, accepting: "yes" };
  readonly #links = new Set<Link>();
  readonly #silent = new Set<Socket>();
  #listener: Server | undefined;

  private constructor(target: number, random: () => number) {
    this.#target = target;
    this.#random = random;
  }

  /** @param target a port on 127.0.0.1 */
  static async to(scope: Scope, target: number, change: Change = {}, random = Math.random): Promise<FaultRelay> {
    const relay = new FaultRelay(target, random);
    scope.after(() => relay.close());
    await relay.set(change);
    return relay;
  }

  /** Connections that stand, as far as the relay knows. */
  get connections(): number {
    return this.#links.size;
  }

  /** Bytes handed on so far in each direction. */
  get passed(): { up: number; down: number } {
    const passed = { ...this.#ended };
    for (const { up, down } of this.#links) {
      passed.up += up.passed;
      passed.down += down.passed;
    }
    return passed;
  }

  /** Bytes that the relay keeps for all its connections. */
  get held(): number {
    return [...this.#links].reduce((sum, { up, down }) => sum + up.held + down.held, 0);
  }

  /** Changes faults, for connections that stand and for new ones; settles when that is in force. */
  async set({ up, down, both, accepting = this.#faults.accepting }: Change): Promise<void> {
    Object.assign(this.#faults.up, both, up);
    Object.assign(this.#faults.down, both, down);
    this.#faults.accepting = accepting;
    for (const link of this.#links) this.#pump(link);
    if (accepting === "refuse") await this.#refuse();
    else if (this.#listener === undefined) await this.#listen();
  }

  /** Takes every fault away; connections that were accepted and left in silence are reset. */
  async heal(): Promise<void> {
    for (const socket of this.#silent) socket.resetAndDestroy();
    this.#silent.clear();
    await this.set({ both: healthy, accepting: "yes" });
  }

  /** The connections that stand become black holes for good, as behind a firewall that has forgotten them; new ones pass. */
  forget(): void {
    for (const link of this.#links) link.lost = true;
  }

  /** Breaks off all connections, with a reset to both ends. */
  reset(): void {
    for (const link of [...this.#links]) this.#reset(link);
  }

  async close(): Promise<void> {
    for (const link of [...this.#links]) this.#end(link);
    for (const socket of this.#silent) socket.destroy();
    await this.#refuse();
  }

  #listen(): Promise<void> {
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    this.#listener = listener;
    return new Promise((resolve, reject) => {
      listener.once("error", reject);
      listener.listen(this.port, "127.0.0.1", () => {
        this.port = (listener.address() as { port: number }).port;
        resolve();
      });
    });
  }

  #refuse(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    // The connections go on: only the listening socket is waited for, and that is closed at once.
    listener?.close();
    return new Promise((resolve) => setImmediate(resolve));
  }

  #accept(near: Socket): void {
    this.accepted++;
    near.on("error", () => {});
    if (this.#faults.accepting === "silent") {
      near.resume();
      this.#silent.add(near);
      near.on("close", () => this.#silent.delete(near));
      return;
    }
    const far = connect({ port: this.#target, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    const line = (from: Socket, to: Socket, direction: "up" | "down") =>
      new Line({
        from,
        to,
        faults: () => link.lost ? LOST : this.#faults[direction],
        random: this.#random,
        reset: () => this.#reset(link),
        silence: () => {
          link.lost = true;
          this.#pump(link);
        },
      });
    const link: Link = { near, far, lost: false, up: line(near, far, "up"), down: line(far, near, "down") };
    this.#links.add(link);
    for (const socket of [near, far]) {
      socket.on("close", () => {
        if (near.destroyed && far.destroyed) this.#end(link);
      });
    }
  }

  #pump({ up, down }: Link): void {
    up.pump();
    down.pump();
  }

  #reset(link: Link): void {
    for (const socket of [link.near, link.far]) if (!socket.destroyed) socket.resetAndDestroy();
    this.#end(link);
  }

  #end(link: Link): void {
    if (!this.#links.delete(link)) return;
    this.#ended.up += link.up.passed;
    this.#ended.down += link.down.passed;
    link.up.stop();
    link.down.stop();
    link.near.destroy();
    link.far.destroy();
  }
}
