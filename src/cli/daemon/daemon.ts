import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Reloaded } from "../../config/changes.ts";
import { formerWarnings, refuseFormer } from "../../config/former_settings.ts";
import { loadConfig, type LoadedConfig } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import { scopeOfToken } from "../../control/api_token.ts";
import { CommandPort } from "../../control/command_port.ts";
import type { CommandWord, CommandWords } from "../../control/command_words.ts";
import type { DaemonFacilities } from "../../control/daemon_facilities.ts";
import { daemonWords } from "../../control/daemon_words.ts";
import type { Readiness } from "../../control/readiness.ts";
import type { ServedApi } from "../../control/serve_api.ts";
import { messageOf, PetitError } from "../../error.ts";
import type { Log, LogLevel } from "../../observe/log.ts";
import { type OpenLog, openLog } from "../../observe/open_log.ts";
import { isDetached, tellStarter } from "../../platform/detached.ts";
import { tryListening } from "../../platform/listen.ts";
import { type FolderLock, lockFolder, type Role } from "../../platform/folder_lock.ts";
import { acceptInherited, closeInherited } from "../../platform/handed_sockets.ts";
import { keepMemorySmall } from "../../platform/memory.ts";
import { type PidFile, removePidFile, writePidFile } from "../../platform/pid_file.ts";
import { hasUnixSockets } from "../../platform/unix_socket.ts";
import { notifyMainProcess } from "../../platform/service/notify_systemd.ts";
import type { Invocation } from "../commands/command.ts";
import { refuseFormerClient } from "./former_daemon.ts";
import { heedSignals } from "./daemon_signals.ts";
import { startSuccessor, type Successor } from "./hand_over.ts";
import { lockAfter, type Predecessor, predecessor } from "./take_over.ts";
import { refuseLoose } from "../strict_state.ts";
import { configFile } from "../values.ts";

/** What a daemon is started with. */
export interface DaemonSetting {
  readonly config: Config;
  readonly folder: string;
  readonly log: Log;
  /** Aborted when it is to stop in order. */
  readonly signal: AbortSignal;
}

/** A daemon that has been started. */
export interface StartedDaemon {
  /** Settles when it has stopped. */
  readonly closed: Promise<unknown>;
  /** Its own words on the command port. */
  readonly words: CommandWords;
  /** Takes up what has changed. */
  reload(read: Config): Reloaded | Promise<Reloaded>;
  readiness(): Readiness | Promise<Readiness>;
  /** Waits until a successor can take over without anybody noticing, but not for long. */
  beforeHandOver?(): Promise<unknown>;
  /** Takes no new work any more, since a successor does; settles when that is certain. What is in progress goes on until the signal. */
  handOver(): void | Promise<void>;
  /** The successor is gone before it has taken over: takes new work again, where `handOver` was called before. */
  resume?(): void;
  /** Told of commands that were not open to whoever gave them. @param code of the error */
  commandRefused?(code: string): void;
  serveApi?(facilities: Omit<DaemonFacilities, "metrics">): Promise<ServedApi>;
}

/** How a daemon of one role is run. */
export interface DaemonKind {
  /** Whether it may work beside the process whose place it takes; otherwise it begins when that one takes no new work any more. */
  readonly overlaps: boolean;
  /** Finds out whether it could start, without doing anything: before the other one gives up. @throws PetitError why not */
  check?(setting: Pick<DaemonSetting, "config" | "folder">): void;
  start(setting: DaemonSetting): StartedDaemon | Promise<StartedDaemon>;
}

/** What a daemon in the background tells whoever has started it, in JSON, when it cannot run. */
export interface EarlyEnd {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly exitCode: number;
}

/** Milliseconds between two looks whether a daemon is ready: at first, and at most. */
const FIRST_LOOK = 100;
const LOOKS_AT_MOST = 30_000;

/**
 * Runs a daemon to its end: alone on its folder, with a log, a command port and a REST API, a pid file, and signals.
 *
 * @returns exit code
 * @throws PetitError where it cannot be started; nothing is left behind then
 */
export async function runDaemon(
  role: Role,
  invocation: Invocation,
  kind: DaemonKind,
): Promise<number> {
  // Before anything can fail: whoever waits for it has to be told.
  const before = await predecessor();
  try {
    const loaded = loadConfig(configFile(invocation));
    refuseFormer(role, loaded.former);
    refuseLoose(role, loaded);
    if (before === undefined && role === "client") await refuseFormerClient(loaded.folder);
    const lock = before === undefined
      ? lockFolder(loaded.folder, role, () => removePidFile(loaded.folder, role))
      : undefined;
    const daemon = new Daemon(role, loaded, lock, invocation.values["verbose"] === true);
    try {
      await daemon.run(kind, before);
    } catch (error) {
      if (isDetached()) daemon.log.error({ code: (error as PetitError).code }, messageOf(error));
      throw error;
    } finally {
      await daemon.end();
    }
  } catch (error) {
    const { code, hint, exitCode } = error instanceof PetitError
      ? error
      : { code: "internal", hint: undefined, exitCode: 1 };
    if (isDetached() || before !== undefined) {
      tellStarter(JSON.stringify({ code, message: messageOf(error), hint, exitCode } satisfies EarlyEnd));
    }
    before?.leave();
    throw error;
  }
  return 0;
}

class Daemon {
  readonly log: Log;
  readonly #role: Role;
  readonly #loaded: LoadedConfig;
  readonly #openLog: OpenLog;
  readonly #stopping = new AbortController();
  readonly #verbose: boolean;
  readonly #leave: () => void;
  readonly #undo: (() => unknown)[] = [];
  #lock: FolderLock | undefined;
  #port: CommandPort | undefined;
  /** Undefined where there is no Unix socket. */
  #socket: CommandPort | undefined;
  #api: ServedApi | undefined;
  #handingOver = false;
  #overlaps = false;
  /** Makes this process the daemon again after it has given its folder back. */
  #takeBack = (): Promise<void> => Promise.resolve();
  #started: StartedDaemon | undefined;
  #about!: PidFile;
  readonly #startedAt = new Date().toISOString();

  /** @param lock undefined as long as the process before has it */
  constructor(role: Role, loaded: LoadedConfig, lock: FolderLock | undefined, verbose: boolean) {
    this.#role = role;
    this.#loaded = loaded;
    this.#verbose = verbose;
    this.#lock = lock;
    // However this process ends, these two go with it; unless it is killed: then the lock that is left tells of no daemon.
    this.#leave = () => {
      process.off("exit", this.#leave);
      if (this.#lock !== undefined) removePidFile(loaded.folder, role);
      this.#lock?.release();
      this.#lock = undefined;
    };
    process.on("exit", this.#leave);
    const { logLevel, logFolder: folder, logMaxSize: maxSize, logMaxFiles: maxFiles } = loaded.config[role];
    const level: LogLevel = verbose && logLevel !== "trace" ? "debug" : logLevel;
    try {
      this.#openLog = openLog({ level, name: role, folder, maxSize, maxFiles, stderr: !isDetached() });
    } catch (error) {
      this.#leave();
      throw error;
    }
    this.log = this.#openLog.log;
  }

  async run({ start, overlaps, check }: DaemonKind, before: Predecessor | undefined): Promise<void> {
    const { config, folder, file } = this.#loaded;
    const { log } = this;
    const role = this.#role;
    const settings = config[role];
    for (const warning of formerWarnings(role, this.#loaded.former)) log.warn({ code: "setting-former" }, warning);
    // No connection's fault may end a daemon. What gets here is a fault of petit's own, and said to be one.
    const fault = (error: unknown) => log.error({ err: error, code: "internal" }, "A fault of petit's own; it goes on");
    process.on("uncaughtException", fault);
    process.on("unhandledRejection", fault);
    this.#undo.push(keepMemorySmall());
    const stop = (): void => {
      if (this.#stopping.signal.aborted) return log.debug(`The ${role} is asked to stop once more`);
      log.info(`The ${role} is asked to stop; what is in progress may go on for ${settings.drainFor / 1000} s`);
      this.#stopping.abort();
    };
    const reload = () => this.#reload();
    const heedReload = () => {
      if (!this.#stopping.signal.aborted) reload().catch(() => {});
    };
    heedSignals({ stop, reload: heedReload });

    let onStopped!: () => void;
    const stopped = new Promise<void>((resolve) => onStopped = resolve);
    const readiness = () =>
      this.#started?.readiness() ?? { ready: false, missing: [`The ${role} is starting`], endpoints: [] };
    const words: Record<string, CommandWord> = {
      STATUS: { reads: true, run: () => ({ status: "starting" }) },
      ...daemonWords({
        role,
        pid: process.pid,
        stopped,
        stop,
        reload,
        readiness,
        setLevel: this.#openLog.setLevel,
        restart: () => this.#restart(),
      }),
    };
    this.#undo.push(() => (onStopped(), this.#closePorts()));
    const begin = async () => {
      const started = this.#started = await start({ config, folder, log, signal: this.#stopping.signal });
      Object.assign(words, started.words);
      return started;
    };
    if (before !== undefined) check?.({ config, folder });
    if (before === undefined || !overlaps) await this.#takeFolder(words, before);
    const started = await begin();
    const closed = started.closed.finally(() => this.#stopping.abort());
    try {
      if (this.#port === undefined) await this.#takeFolder(words, before);
      const { tail, setLevel } = this.#openLog;
      const restart = () => this.#restart();
      const facilities = { role, configFile: file, folder, log, tail, setLevel, reload, stop, restart };
      this.#undo.push(() => this.#api?.close());
      const serveApi = async () => {
        const api = this.#api = await started.serveApi?.(facilities);
        if (api === undefined) return;
        this.#writeAbout({ api: api.port });
        log.info({ port: api.port }, `The REST API listens on port ${api.port} of 127.0.0.1`);
      };
      await serveApi();
      this.#takeBack = async () => {
        this.#lock = await lockAfter(folder, role);
        process.on("exit", this.#leave);
        await this.#takeFolder(words, undefined);
        await serveApi();
        if (!overlaps) started.resume?.();
        void this.#watch();
      };
      this.#overlaps = overlaps;
      void this.#watch();
    } catch (error) {
      stop();
      await closed.catch(() => {});
      throw error;
    }
    await closed;
    log.info(`The ${role} has stopped`);
  }

  /** Becomes the daemon that others see: with the lock, a command port and a pid file. */
  async #takeFolder(words: CommandWords, before: Predecessor | undefined): Promise<void> {
    const { config, folder } = this.#loaded;
    const role = this.#role;
    if (before !== undefined) {
      closeInherited();
      // Its own ports come with its word. Whether others can be had is found out while it can still go on.
      for (const name of ["listenPort", "apiPort"] as const) {
        const wanted = config[role][name];
        if (wanted !== 0 && !before.ports.includes(wanted)) {
          await tryListening("127.0.0.1", wanted, `[${role}] ${name}`);
        }
      }
      await before.gone();
      this.#lock = await lockAfter(folder, role);
    }
    const settings = config[role];
    const port = this.#port = new CommandPort(words, this.log, {
      open: () => settings.localAccess,
      scopeOf: (token) => scopeOfToken(folder, token),
      role,
      onRefused: (code) => this.#started?.commandRefused?.(code),
    });
    const listen = await port.listen(settings.listenPort, `[${role}] listenPort`);
    this.log.info({ port: listen }, `Commands are taken on port ${listen} of 127.0.0.1`);
    const socket = await this.#listenOnSocket(words, settings.listenSocket);
    this.#about = { pid: process.pid, listen, socket, api: null, startedAt: this.#startedAt, ready: null };
    this.#writeAbout({});
    if (before === undefined) return;
    if (!await notifyMainProcess()) this.log.warn({ code: "not-notified" }, "systemd does not know of the new process");
    await acceptInherited();
    before.taken();
    this.log.info(`This process took the place of the one before`);
  }

  /** The path of the socket, or null where there is none: commands can be given on the port too. */
  async #listenOnSocket(words: CommandWords, path: string): Promise<string | null> {
    if (path === "" || !hasUnixSockets) return null;
    const port = new CommandPort(words, this.log);
    try {
      await port.listenOnSocket(path);
    } catch (error) {
      if (!(error instanceof PetitError)) throw error;
      const { code, message, hint } = error;
      this.log.warn({ code, hint }, `There is no socket for commands: ${message}`);
      return null;
    }
    this.#socket = port;
    return path;
  }

  /** Sends the answers that are due, and takes no more commands. The lock has to be held still. */
  async #closePorts(): Promise<void> {
    await Promise.all([this.#port?.close(), this.#socket?.close()]);
  }

  /**
   * Has a new process take this one's place, and goes on with what is in progress for `drainFor` at most.
   *
   * @returns its process id, once it is ready; it has taken over a moment later
   * @throws PetitError where it cannot; nothing has changed then
   */
  async #restart(): Promise<{ pid: number }> {
    const role = this.#role;
    const { folder, file } = this.#loaded;
    const started = this.#started;
    if (started === undefined || this.#handingOver || this.#stopping.signal.aborted) {
      throw new PetitError("daemon-busy", `The ${role} is starting or stopping`, { hint: "Ask again in a moment" });
    }
    this.#handingOver = true;
    try {
      this.log.info(`A new process is to take this one's place`);
      const ports = [this.#about.listen, ...this.#about.api === null ? [] : [this.#about.api]];
      const successor = await startSuccessor({ role, configFile: file, folder, verbose: this.#verbose, ports });
      // After the answer has been sent.
      setTimeout(() => this.#handOver(started, successor), 50);
      return { pid: successor.pid };
    } catch (error) {
      this.#handingOver = false;
      const { code, hint } = error instanceof PetitError ? error : { code: "internal", hint: undefined };
      this.log.error({ code, hint }, `This process goes on: ${messageOf(error)}`);
      throw error;
    }
  }

  async #handOver(started: StartedDaemon, successor: Successor): Promise<void> {
    const { signal } = this.#stopping;
    await started.beforeHandOver?.();
    // Somebody who asks for a stop means the service, and not this process.
    if (signal.aborted) return successor.cancel();
    // Two servers may serve at the same time: this one goes on until the other is the daemon.
    if (!this.#overlaps) await started.handOver();
    await Promise.all([this.#closePorts(), this.#api?.close()]);
    this.#api = undefined;
    if (signal.aborted) return successor.cancel();
    this.#leave();
    if (await successor.go()) await this.#handedOver(started, successor);
    else if (!signal.aborted) await this.#resume(successor);
  }

  async #handedOver(started: StartedDaemon, { pid }: Successor): Promise<void> {
    this.log.info({ successor: pid }, `Process ${pid} is the ${this.#role} now; this one ends with its last work`);
    if (this.#stopping.signal.aborted) process.kill(pid, "SIGTERM");
    try {
      if (this.#overlaps) await started.handOver();
    } finally {
      this.#stopping.abort();
    }
  }

  async #resume({ pid }: Successor): Promise<void> {
    const { log } = this;
    log.error(
      { code: "handover-failed", successor: pid },
      `Process ${pid} is gone before it took over; this one goes on`,
    );
    try {
      await this.#takeBack();
      this.#handingOver = false;
    } catch (error) {
      log.error({ code: (error as PetitError).code }, `This process cannot go on: ${messageOf(error)}`);
      this.#stopping.abort();
    }
  }

  /** Gives everything back, the lock last. */
  async end(): Promise<void> {
    this.#stopping.abort();
    for (const step of this.#undo.reverse()) await step();
    await this.#openLog.close();
    this.#leave();
  }

  async #reload(): Promise<Reloaded> {
    const started = this.#started;
    if (started === undefined) {
      throw new PetitError("daemon-starting", `The ${this.#role} is still starting`, { hint: "Ask again in a moment" });
    }
    if (this.#handingOver) {
      const hint = "The new process reads the config as it is when it starts: ask that one";
      throw new PetitError("daemon-busy", `The ${this.#role} is being restarted`, { hint });
    }
    try {
      const { config, file } = this.#loaded;
      const { config: anew, former } = loadConfig(file);
      refuseFormer(this.#role, former);
      const reloaded = await started.reload(anew);
      if (reloaded.changed.includes(`${this.#role}.logLevel`)) this.#openLog.setLevel(config[this.#role].logLevel);
      return reloaded;
    } catch (error) {
      const { code, hint } = error instanceof PetitError ? error : { code: "internal", hint: undefined };
      this.log.error(
        { code, hint, err: code === "internal" ? error : undefined },
        `Nothing was reloaded: ${messageOf(error)}`,
      );
      throw error;
    }
  }

  #writeAbout(change: Partial<PidFile>): void {
    this.#about = { ...this.#about, ...change };
    writePidFile(this.#loaded.folder, this.#role, this.#about);
  }

  /** Looks more and more rarely until everything works, and says so once. */
  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    try {
      for (let wait = FIRST_LOOK; !signal.aborted; wait = Math.min(wait * 1.5, LOOKS_AT_MOST)) {
        if ((await this.#started?.readiness())?.ready) {
          if (!signal.aborted) this.#writeAbout({ ready: new Date().toISOString() });
          return;
        }
        await sleep(wait, undefined, { signal, ref: false });
      }
    } catch (error) {
      if (!signal.aborted) {
        this.log.warn({ err: error }, `The pid file does not say that the ${this.#role} is ready: ${messageOf(error)}`);
      }
    }
  }
}
