import { createServer, type Server as NetServer, type Socket } from "node:net";
import type { SshAlgorithms } from "../config/ssh_algorithms.ts";
import { plainAddress } from "../platform/address.ts";
import { resetConnection } from "../platform/reset.ts";
import type { Channel } from "./channel.ts";
import { watchClientOffer } from "./watch_client_offer.ts";
import { causeOfError, causeSaid, closedBy, noSignOfLife } from "./disconnect_cause.ts";
import { type AliveTimes, keepAlive } from "./keepalive.ts";
import { type HostKeyPair, HostKeysProof } from "./host_keys_proof.ts";
import { describeKey, isSound, type PublicKey, verifySignature } from "./keys.ts";
import { Link } from "./link.ts";
import { checkHostKeys, setServerOffer } from "./offer.ts";
import { openFailure } from "./open_failure.ts";
import { isLegacyPetit } from "./petit_peer.ts";
import { type RekeyTimes, renewKeys } from "./rekey.ts";
import { type Session, takeSessions } from "./session.ts";
import { type AuthContext, type Connection, Server } from "./ssh_library.ts";
import { Wire } from "./wire.ts";

/** One request to log in, whose proof has been checked already. */
export type LoginAttempt =
  | {
    readonly method: "publickey";
    readonly user: string;
    readonly key: PublicKey; /** False: the peer only asks. */
    readonly proven: boolean;
  }
  | { readonly method: "password"; readonly user: string; readonly password: string };

/** What becomes of a login attempt; "more" asks for the methods named, on top of this one. */
export type LoginVerdict = { readonly kind: "accept" } | { readonly kind: "refuse" } | {
  readonly kind: "more";
  readonly methods: string[];
};

/** A remote forward that is granted. */
export interface GrantedForward {
  readonly port: number;
  /** Called when the client has been told: it refuses the channels of a forward that it does not know to be granted. */
  begin(): void;
}

/** A connection that has not been refused yet, as the gateway's rules see it. */
export interface SshPeer {
  /** Calls `begin` when its login may begin. */
  begins(begin: () => void): void;
  /** Decides about one login attempt. */
  login(attempt: LoginAttempt): LoginVerdict;
  /** Whether a key may sign a login of that user with SHA-1 (RFC 8332, section 3, "ssh-rsa"): its client can do nothing better. */
  mayUseSha1(key: PublicKey, user: string): boolean;
  /** Told of an attempt that proves nothing: a signature that does not verify, a method or a kind of key that is not accepted. */
  loginRefused(user: string, method: string): void;
  ready(connection: SshServerConnection): void;
  /** Told of what no client has any use for, and was refused: `code` is that of the refusal, `sentence` for people. */
  forbidden(code: string, sentence: string): void;
  /** A request for a remote forward; what is granted, or undefined to refuse. */
  forward(address: string, port: number): Promise<GrantedForward | undefined>;
  /** @returns whether there was such a forward */
  cancelForward(address: string, port: number): boolean;
  /** A request to be connected to `host:port` from here; whoever takes the channel, or undefined to refuse. */
  direct(host: string, port: number): ((channel: Channel) => void) | undefined;
  /** A request for a session; whoever takes it, or undefined to refuse. */
  session(): ((session: Session) => void) | undefined;
  /**
   * Called once, last, whatever happened before.
   * @param greeting the peer's identification, as far as it came
   */
  closed(cause: string, greeting: string): void;
}

export interface SshServerOptions {
  /** Private host keys, PEM. */
  readonly hostKeys: (string | Buffer)[];
  /** "petit_1.0.0": what follows "SSH-2.0-" (RFC 4253, section 4.2). */
  readonly software: string;
  /** Milliseconds from accept to a finished login. */
  readonly loginGraceTime: number;
  readonly alive: AliveTimes;
  /** Read anew each time. */
  readonly rekey: RekeyTimes;
  /** Read anew for each connection. */
  algorithms(): SshAlgorithms;
  /** Whether there are so many connections that another one is closed at once. */
  isFull(connections: number): boolean;
  /**
   * Makes the rules for a new connection, before anything else is done for it.
   *
   * @param drop ends it before it has logged in
   * @returns undefined to close it at once
   */
  peer(remoteAddress: string, drop: (why: string) => void): SshPeer | undefined;
}

/** As OpenSSH's MaxAuthTries. */
const MAX_AUTH_TRIES = 6;

/** A logged-in connection of a client. */
export class SshServerConnection {
  readonly link: Link;
  /** Channels that the client has neither accepted nor refused yet. */
  opening = 0;
  /** Clients accept a channel once they have reached the service. */
  readonly opensAtService = true;
  readonly #connection: Connection;
  #hostKeys: HostKeysProof | undefined;

  constructor(connection: Connection, link: Link) {
    this.#connection = connection;
    this.link = link;
  }

  /**
   * Opens a channel to what the client forwards under `address:port` (RFC 4254, section 7.2).
   * @throws Error with what the client says about why it cannot connect
   */
  open(address: string, port: number, originAddress: string, originPort: number): Promise<Channel> {
    return new Promise((resolve, reject) => {
      // The library would keep the question for ever.
      if (!this.link.wire.writable) return reject(new Error("the tunnel is gone"));
      this.opening++;
      this.#connection.forwardOut(address, port, originAddress, originPort, (error, stream) => {
        this.opening--;
        if (error) reject(new Error(openFailure(error), { cause: error }));
        else resolve(stream as unknown as Channel);
      });
    });
  }

  /**
   * Tells the client all host keys of this server, and proves those that it asks for from then on.
   *
   * @param offered the keys that this server has at that time
   * @param onProven told what the client has asked for and been given
   */
  announceHostKeys(offered: () => readonly HostKeyPair[], onProven: (keys: readonly PublicKey[]) => void): void {
    if (!this.link.wire.writable) return;
    this.#hostKeys ??= new HostKeysProof(this.#connection, offered, onProven);
    this.#hostKeys.announce();
  }

  /** Its client is about to end it. @param why what is told as its cause here, in words */
  foresee(why: string): void {
    this.link.wire.emit("cause", why);
  }

  /** Ends the connection with a disconnect message. @param why what is told as its cause, here and to the client, in words */
  end(why: string): void {
    this.link.wire.emit("cause", why);
    this.link.end(why);
  }

  /** Ends the connection at once, for a client that need not be listening any more. */
  destroy(why: string): void {
    this.link.wire.emit("cause", why);
    this.link.abandon(why);
  }
}

/** A TCP server whose connections speak SSH, not listening yet; and its connections, logged in or not. */
export interface SshServer {
  readonly listener: NetServer;
  readonly wires: ReadonlySet<Wire>;
  /** From the next connection on the server shows these host keys. */
  useHostKeys(hostKeys: SshServerOptions["hostKeys"]): void;
}

export function createSshServer(options: SshServerOptions): SshServer {
  checkHostKeys(options.hostKeys, options.algorithms());
  const peers = new WeakMap<object, SshPeer>();
  const withKeys = (hostKeys: SshServerOptions["hostKeys"]) =>
    new Server({ hostKeys, ident: options.software }).on("connection", (connection) => {
      const wire = (connection as unknown as { _sock: Wire })._sock;
      const algorithms = options.algorithms();
      setServerOffer(connection, algorithms);
      serve(connection, wire, peers.get(wire) as SshPeer, options, algorithms);
    });
  let ssh = withKeys(options.hostKeys);
  const wires = new Set<Wire>();
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket: Socket) => {
    if (options.isFull(wires.size)) return void socket.destroy();
    // Whoever has no address any more has left.
    if (socket.remoteAddress === undefined) return void socket.destroy();
    const drop = (why: string) => {
      cause ??= why;
      wire.destroy();
    };
    const peer = options.peer(plainAddress(socket.remoteAddress), drop);
    if (peer === undefined) return resetConnection(socket);
    const wire = new Wire(socket);
    wires.add(wire);
    peers.set(wire, peer);
    // The first one stands: what follows comes of it.
    let cause: string | undefined;
    const grace = setTimeout(() => {
      cause ??= `not logged in within ${options.loginGraceTime / 1000} s`;
      wire.destroy();
    }, options.loginGraceTime);
    wire.on("login", () => clearTimeout(grace));
    wire.on("cause", (text: string) => cause ??= text);
    wire.on("error", (error: Error) => cause ??= causeOfError(error));
    wire.once("close", () => {
      clearTimeout(grace);
      wires.delete(wire);
      peer.closed(cause ?? closedBy("client"), wire.greeting);
    });
    // Nothing of it is read before.
    peer.begins(() => wires.has(wire) && ssh.injectSocket(wire as never));
  });
  return { listener, wires, useHostKeys: (hostKeys) => void (ssh = withKeys(hostKeys)) };
}

/** Milliseconds of silence that a client of petit 0.6.x is allowed: it gives a tunnel up itself after 90 s. */
const LEGACY_SILENCE = 120_000;

/**
 * Asks as often, and waits for longer: a client of petit 0.6.x that finds its connection closed when its network is back takes that for a reason to
 * give its registration up.
 */
function patientWith({ interval, countMax }: AliveTimes): AliveTimes {
  return { interval, countMax: interval === 0 ? countMax : Math.max(countMax, Math.ceil(LEGACY_SILENCE / interval)) };
}

function serve(
  connection: Connection,
  wire: Wire,
  peer: SshPeer,
  { alive, rekey }: SshServerOptions,
  algorithms: SshAlgorithms,
): void {
  const { pubkeyAcceptedAlgorithms: accepted } = algorithms;
  const link = new Link(
    connection,
    wire,
    (what) => wire.emit("cause", `the SSH protocol was broken (the client ${what})`),
    (reason, description) => wire.emit("cause", causeSaid("client", reason, description)),
  );
  link.announceSignatures(accepted);
  const mismatch = watchClientOffer(connection, algorithms);
  // From the beginning: whoever has not logged in can exchange keys too.
  wire.once("close", renewKeys(link, rekey));
  let tries = 0;
  connection.on("authentication", (context) => {
    if (++tries > MAX_AUTH_TRIES) {
      wire.emit("cause", "too many attempts to log in");
      connection.end();
      return;
    }
    const attempt = attemptOf(context, accepted, (key) => peer.mayUseSha1(key, context.username));
    // Clients ask with "none" which methods there are.
    if (attempt === undefined && context.method !== "none") peer.loginRefused(context.username, context.method);
    const verdict = attempt === undefined ? { kind: "refuse" } as const : peer.login(attempt);
    // An offer without a signature is only a question: it proves nothing and is not answered with "more".
    if (attempt?.method === "publickey" && !attempt.proven && verdict.kind !== "refuse") context.accept();
    else if (verdict.kind === "accept") context.accept();
    else if (verdict.kind === "more") context.reject(verdict.methods as never, true);
    else context.reject(["publickey", "password"]);
  });
  connection.on("ready", () => {
    wire.emit("login");
    const stop = keepAlive(wire, isLegacyPetit(wire.greeting) ? patientWith(alive) : alive, () => link.ping(), () => {
      const why = noSignOfLife("client", performance.now() - wire.lastReceived);
      wire.emit("cause", why);
      link.abandon(why);
    });
    wire.once("close", stop);
    link.acceptOpens("direct-tcpip", (open) => {
      const take = peer.direct(open.address, open.port);
      if (take === undefined) open.prohibit("this server connects its clients to nothing");
      else take(open.accept());
    }, (type) => peer.forbidden("channel-refused", `A client asked for a channel of the type "${type.slice(0, 80)}"`));
    takeSessions(connection, link, () => peer.session());
    peer.ready(new SshServerConnection(connection, link));
  });
  connection.on("request", (accept, reject, name, info) => {
    const { bindAddr, bindPort } = info as { bindAddr: string; bindPort: number };
    if (name === "tcpip-forward") {
      peer.forward(bindAddr, bindPort).then(
        (granted) => {
          if (granted === undefined) return reject?.();
          accept?.(granted.port);
          granted.begin();
        },
        () => reject?.(),
      );
    } else if (name === "cancel-tcpip-forward") {
      if (peer.cancelForward(bindAddr, bindPort)) accept?.();
      else reject?.();
    } else {
      peer.forbidden("request-refused", `A client asked for "${name as string}"`);
      link.say("This server forwards TCP ports only, and no sockets of a file system");
      reject?.();
    }
  });
  connection.on("error", (error) => {
    const why = mismatch(error) ?? causeOfError(error);
    wire.emit("cause", why);
    if ((error as { level?: string }).level !== "socket") link.complain(why);
  });
}

/**
 * Undefined for methods that prove nothing here, for a key of a kind that is not accepted, and for one whose signature does not verify.
 *
 * @param accepted public key algorithms (RFC 8332, section 3)
 * @param mayUseSha1 whether a key may sign with SHA-1, which none of them does
 */
function attemptOf(
  context: AuthContext,
  accepted: readonly string[],
  mayUseSha1: (key: PublicKey) => boolean,
): LoginAttempt | undefined {
  const user = context.username;
  if (context.method === "password") return { method: "password", user, password: context.password };
  if (context.method !== "publickey") return undefined;
  const { key, signature, blob } = context;
  const described = publicKey(key.data);
  if (described === undefined) return undefined;
  const hash = (context as { hashAlgo?: string }).hashAlgo;
  const algorithm = hash === undefined ? key.algo : `rsa-sha2-${hash.slice("sha".length)}`;
  const isSha1 = algorithm === "ssh-rsa";
  if (isSha1 ? !mayUseSha1(described) : !accepted.includes(algorithm)) return undefined;
  if (!isSound(key.data, key.algo)) return undefined;
  const proven = signature !== undefined;
  if (proven && !(blob !== undefined && verifySignature(key.algo, key.data, blob, signature, hash, isSha1))) {
    return undefined;
  }
  return { method: "publickey", user, key: described, proven };
}

/** Undefined for what is no key; the library hands over undefined where a request breaks off before it. */
function publicKey(blob: Buffer | undefined): PublicKey | undefined {
  try {
    return blob === undefined ? undefined : describeKey(blob);
  } catch {
    return undefined;
  }
}
