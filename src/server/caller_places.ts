import { type BlockList, isIPv6, type Socket } from "node:net";
import type { Log } from "../observe/log.ts";
import type { OnceAMinute } from "../observe/once_a_minute.ts";
import { plainAddress } from "../platform/address.ts";
import { netBlock } from "../platform/net_block.ts";
import type { OpenFiles } from "../platform/open_files.ts";
import { Place, Room } from "./room.ts";

/** Settings of [server], read anew each time. */
export interface CallerLimits {
  readonly maxCallers: number;
  readonly maxCallersPerAddress: number;
}

export interface CallerPlacesParts {
  readonly limits: CallerLimits;
  /** Load balancers, which speak for many. */
  readonly trusted: BlockList;
  readonly files: OpenFiles;
  readonly log: Log;
  readonly noise: OnceAMinute;
}

/** Who has an IPv6 address has 2^64 of them. */
const BLOCKS = { ipv4: 32, ipv6: 64 };

/** The places of all callers, on all ports: bounded altogether, by address, and by the files that the process may have open. */
export class CallerPlaces {
  readonly #parts: CallerPlacesParts;
  readonly #room = new Room();
  trusted: BlockList;

  constructor(parts: CallerPlacesParts) {
    this.#parts = parts;
    parts.files.count(() => this.size);
    this.trusted = parts.trusted;
  }

  /** Callers that are connected, those in a TLS handshake included. */
  get size(): number {
    return this.#room.size;
  }

  /**
   * Gives a connection a place until it is closed.
   *
   * @param isIdle whether it has shown nothing yet for which it should stay
   * @param drop ends it, when others need its place
   * @param also a room that it needs a place in too, and its size
   * @returns undefined where there is none
   */
  take(
    socket: Socket,
    isIdle: () => boolean,
    drop: () => void,
    also?: { readonly room: Room; readonly max: number },
  ): Place | undefined {
    const { limits, files } = this.#parts;
    // Whoever has no address any more has left.
    if (socket.remoteAddress === undefined) return undefined;
    const address = plainAddress(socket.remoteAddress);
    const trusted = this.trusted.check(address, isIPv6(address) ? "ipv6" : "ipv4");
    const source = netBlock(address, BLOCKS);
    const most = trusted ? Infinity : limits.maxCallersPerAddress;
    const hasPlace = this.#room.makeFor(source, Math.min(limits.maxCallers, files.mostForCallers(this.size)), most) &&
      (also === undefined || also.room.makeFor(source, also.max, Infinity));
    if (!hasPlace) {
      this.#tell(address, source, most);
      return undefined;
    }
    // What a load balancer's connection has shown says nothing of those behind it.
    const place = new Place(source, trusted ? () => false : isIdle, drop);
    this.#room.add(place);
    also?.room.add(place);
    socket.once("close", () => place.leave());
    return place;
  }

  #tell(address: string, source: string, most: number): void {
    const { log, noise, limits, files } = this.#parts;
    const { size } = this.#room;
    const [code, why, hint] = this.#room.countOf(source) >= most
      ? ["caller-greedy", `${most} connections of it are open, as many as [server] maxCallersPerAddress allows`]
      : size >= limits.maxCallers
      ? ["callers-full", `${size} are open, as many as [server] maxCallers allows`]
      : size >= files.mostForCallers(size)
      ? [
        "files-full",
        `${size} are open, and this process may have ${files.limit} files open`,
        "Raise the limit of open files (LimitNOFILE of a systemd unit, ulimit -n)",
      ]
      : [
        "port-full",
        "its reverse port has as many as [server.ssh] maxChannels and [server.access] maxRawCallers allow",
      ];
    noise.tellOf(
      code as string,
      source,
      (repeated) => log.warn({ code, address, hint, repeated }, `A caller's connection was refused: ${why}`),
    );
  }
}
