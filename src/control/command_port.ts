import { createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../error.ts";
import type { Log } from "../observe/log.ts";
import { OnceAMinute } from "../observe/once_a_minute.ts";
import { listen, stopListening } from "../platform/listen.ts";
import { listenOnSocket, removeSocket } from "../platform/unix_socket.ts";
import { within } from "../platform/within.ts";
import type { CommandAccess } from "./command_access.ts";
import { carryOut, type CommandWords, wordOf } from "./command_words.ts";

/** Ends a command: the end-of-text character. */
const ETX = 0x03;

/** Bytes that a command may have. */
const MAX_COMMAND = 64 * 1024;

/** Milliseconds to send one. */
const PATIENCE = 10_000;

/** Milliseconds for an answer to be taken, and for the connection to be closed by the other side. */
const LINGER = 2000;

/** Milliseconds after a silent word in which its asker may end its direction. */
const SILENCE = 100;

/** Connections at one time; whoever comes beyond that is turned away. */
const MAX_CONNECTIONS = 64;

/**
 * Where a daemon takes commands: a port on 127.0.0.1, which every user of this machine can reach, or a Unix socket of this user's alone. One command, ended by ETX, is answered with one JSON object, then the connection ends, as with 0.6.x.
 *
 * A browser can be made to connect here too. What it sends begins with a request line: anything of more than one line ends the
 * connection without effect.
 */
export class CommandPort {
  readonly #words: CommandWords;
  readonly #log: Log;
  readonly #access: CommandAccess | undefined;
  readonly #noise = new OnceAMinute();
  readonly #open = new Set<Socket>();
  readonly #server: Server;
  readonly #answering = new Set<Promise<void>>();
  #socket: string | undefined;

  /** @param access what is open to whom; undefined where only the daemon's own user can ask */
  constructor(words: CommandWords, log: Log, access?: CommandAccess) {
    this.#words = words;
    this.#log = log;
    this.#access = access;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    this.#server.on("error", (error) => this.#refused(messageOf(error)));
  }

  /** @returns the port. @throws PetitError `port-in-use` and others of `listen` */
  async listen(port: number, setting: string): Promise<number> {
    return await listen(this.#server, "127.0.0.1", port, setting);
  }

  /** Takes commands on a Unix socket. The folder's lock is to be held. @throws PetitError as `listenOnSocket` */
  async listenOnSocket(path: string): Promise<void> {
    await listenOnSocket(this.#server, path);
    this.#socket = path;
  }

  /** Sends the answers that are due, and ends. */
  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    const closed = stopListening(this.#server);
    await within(LINGER, Promise.all(this.#answering));
    for (const socket of this.#open) socket.destroy();
    await closed;
    if (socket !== undefined) removeSocket(socket);
  }

  #accept(socket: Socket): void {
    socket.on("error", () => socket.destroy());
    if (this.#open.size >= MAX_CONNECTIONS) {
      this.#refused("too many connections at one time");
      socket.destroy();
      return;
    }
    this.#open.add(socket);
    let ended = false;
    let received = Buffer.alloc(0);
    const timer = setTimeout(() => socket.destroy(), PATIENCE);
    socket.on("close", () => {
      clearTimeout(timer);
      this.#open.delete(socket);
    });
    const take = (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      const end = received.indexOf(ETX);
      const text = received.subarray(0, end === -1 ? undefined : end).toString("utf8").trim();
      // deno-lint-ignore no-control-regex
      if (received.length > MAX_COMMAND || /[\u0000-\u001f]/.test(text) || /^\S+ \S+ HTTP\//.test(text)) {
        this.#refused("this is no command");
        socket.destroy();
        return;
      }
      if (end === -1) return;
      clearTimeout(timer);
      socket.off("data", take);
      // What follows is read, so that the end is seen, and means nothing.
      socket.resume();
      const answered = this.#answer(socket, text, () => ended).finally(() => this.#answering.delete(answered));
      this.#answering.add(answered);
    };
    socket.on("data", take);
    socket.on("end", () => {
      ended = true;
      if (received.indexOf(ETX) === -1) socket.destroy();
    });
  }

  async #answer(socket: Socket, text: string, ended: () => boolean): Promise<void> {
    const begun = performance.now();
    let refused = false;
    const answer = await carryOut(this.#words, text, {
      access: this.#access,
      onFault: (error) =>
        this.#log.error({ err: error, code: "internal" }, "A command failed by a fault of petit's own"),
      onRefused: ({ code, message }) => {
        refused = true;
        this.#access?.onRefused?.(code);
        this.#refused(message);
      },
    });
    const word = refused ? undefined : wordOf(this.#words, text);
    let silent = answer === undefined;
    if (word?.silent) {
      const left = begun + SILENCE - performance.now();
      if (!ended() && left > 0) await sleep(left);
      silent ||= ended();
    }
    if (socket.destroyed) return;
    const gone = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    if (silent) socket.end();
    else socket.end(JSON.stringify(answer));
    await within(LINGER, gone);
    socket.destroy();
  }

  #refused(why: string): void {
    this.#noise.tell(
      "refused",
      (repeated) =>
        this.#log.warn({ code: "command-refused", repeated }, `A connection to the command port was refused: ${why}`),
    );
  }
}
