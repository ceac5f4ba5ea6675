import { Buffer } from "node:buffer";
import { closeSync, openSync, readSync } from "node:fs";
import { systemCode } from "../error.ts";

/** A TCP socket that listens, as Linux tells of it (proc(5), /proc/net/tcp). */
export interface ListeningSocket {
  /** Address on which it listens, as a connection to it names one: "127.0.0.1" for all of IPv4, "::1" for all of IPv6. */
  readonly host: string;
  readonly port: number;
  /** Of whoever made it. */
  readonly uid: number;
  /** Its name: another one with the same address and port has another. */
  readonly inode: number;
}

const FILES = ["/proc/net/tcp", "/proc/net/tcp6"] as const;

/** TCP_LISTEN, in the column "st". */
const LISTEN = "0A";

/** Bytes read at a time. Listening sockets come first, so that the thousands of others are not read on. */
const PIECE = 16 * 1024;

/**
 * All TCP sockets that listen on this machine.
 *
 * @throws Error where the system does not tell (it is not Linux, or /proc is not there)
 */
export function listeningSockets(): ListeningSocket[] {
  const found = readTable(FILES[0]);
  try {
    return [...found, ...readTable(FILES[1])];
  } catch (error) {
    // A machine without IPv6 has no such file.
    if (systemCode(error) === "ENOENT") return found;
    throw error;
  }
}

function readTable(file: string): ListeningSocket[] {
  const sockets: ListeningSocket[] = [];
  for (const { state, socket } of rowsOf(file)) {
    if (state !== LISTEN) break;
    sockets.push(socket);
  }
  return sockets;
}

/** Bytes of ten rows. */
const FEW = 10 * 150;

/**
 * Which of these sockets listen still. It costs less than to read all that listen: the system fills each piece before it hands it out, for which it
 * goes through its whole table of connections where there are not enough of them.
 *
 * @returns their inodes
 * @throws Error as `listeningSockets`
 */
export function stillListening(sockets: readonly ListeningSocket[]): Set<number> {
  const missing = new Set(sockets.map(({ inode }) => inode));
  const found = new Set<number>();
  const isIpv6 = sockets.every(({ host }) => host.includes(":"));
  for (const file of isIpv6 ? FILES.toReversed() : FILES) {
    if (missing.size === 0) break;
    try {
      for (const { state, socket: { inode } } of rowsOf(file, FEW)) {
        if (state !== LISTEN) break;
        if (missing.delete(inode)) found.add(inode);
        if (missing.size === 0) break;
      }
    } catch (error) {
      if (file === FILES[0] || systemCode(error) !== "ENOENT") throw error;
    }
  }
  return found;
}

/** All TCP sockets of this machine, as far as the system tells. */
export function* tableRows(): Generator<TableRow> {
  for (const file of FILES) {
    try {
      yield* rowsOf(file);
    } catch {
      // It is not Linux, or a machine without IPv6.
    }
  }
}

function* rowsOf(file: string, size = PIECE): Generator<TableRow> {
  const descriptor = openSync(file, "r");
  try {
    const piece = Buffer.allocUnsafe(size);
    let rest = "";
    for (;;) {
      const length = readSync(descriptor, piece, 0, size, null);
      const lines = (rest + piece.toString("latin1", 0, length)).split("\n");
      rest = lines.pop() as string;
      for (const line of lines) {
        const row = parseRow(line);
        if (row !== undefined) yield row;
      }
      if (length === 0) return;
    }
  } finally {
    closeSync(descriptor);
  }
}

/** A row of the table: a socket, and where its connection leads, if it is one. */
interface TableRow {
  readonly state: string;
  readonly socket: ListeningSocket;
  readonly remoteHost: string;
  readonly remotePort: number;
}

/** One row of the table; undefined for its heading, and for what is none. */
export function parseRow(line: string): TableRow | undefined {
  const parts = line.trim().split(/\s+/);
  const [, local = "", remote = "", state = "", , , , uid = "", , inode = ""] = parts;
  const [address = "", port = ""] = local.split(":");
  if (!/^(?:[0-9A-F]{8}|[0-9A-F]{32})$/.test(address) || !/^\d+$/.test(inode)) return undefined;
  const host = hostOf(address);
  const socket = { host, port: Number.parseInt(port, 16), uid: Number(uid), inode: Number(inode) };
  const [remoteAddress = "", remotePort = ""] = remote.split(":");
  return { state, socket, remoteHost: hostOf(remoteAddress), remotePort: Number.parseInt(remotePort, 16) };
}

const hostOf = (address: string): string => address.length === 8 ? ipv4(address) : ipv6(address);

/** The kernel prints each 32 bits as a number of this machine, which is little-endian wherever petit runs. */
function bytesOf(address: string): number[] {
  const words = address.match(/.{8}/g) ?? [];
  return words.flatMap((word) => (word.match(/../g) ?? []).map((hex) => Number.parseInt(hex, 16)).reverse());
}

function ipv4(address: string): string {
  const text = bytesOf(address).join(".");
  return text === "0.0.0.0" ? "127.0.0.1" : text;
}

function ipv6(address: string): string {
  const bytes = bytesOf(address);
  if (bytes.every((byte) => byte === 0)) return "::1";
  // An IPv4 address in IPv6's clothes (RFC 4291, section 2.5.5.2).
  if (bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff) {
    return bytes.slice(12).join(".");
  }
  const groups = Array.from(
    { length: 8 },
    (_, at) => (((bytes[2 * at] as number) << 8) | (bytes[2 * at + 1] as number)).toString(16),
  );
  return groups.join(":").replace(/^(?:0:){7}/, "::");
}
