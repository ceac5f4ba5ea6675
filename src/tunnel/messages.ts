import { z } from "zod";
import { MAX_CAUSE } from "./disconnect_cause.ts";

/**
 * Everything that client and server tell each other beside forwarded bytes: the backchannel. Each message is a JSON object with a
 * `type`, framed by message_stream.ts. It runs inside the SSH connection, as a `direct-tcpip` channel from the
 * client to localhost:3014 of the server's side, so both ends are known before the first message.
 *
 * | exchange   | client → server | server → client |
 * |------------|-----------------|-----------------|
 * | register   | register1       | didRegister1    | on a connection of the user "join": makes a registration for the key that logged in
 * | handshake  | handshake1      | shakehand1      | on any other: what the server knows of the key's registrations
 * | unregister | unregister1     | didUnregister1  | takes one of them away
 * | ping       | ping1           | didPing1        |
 * | probe      | probe1          | didProbe1       | the server opens a channel to the service through this tunnel and tells whether it came about
 * | release    | release1        | didRelease1     | openssh mode: has the server end the older session that still holds the port of a registration
 *
 * Beside its answers the server says `reconnect1` when it stops, which is not answered.
 *
 * Where another SSH server than petit's terminates the connection (openssh mode), the channel leads through it to the server's plain backchannel,
 * which knows nothing of the login. Then a proof of the key comes first: `prove1` is answered with `didProve1` and its prompt, `prove2` with
 * `didProve2`. There the server also asks for a sign of life (`ping1`, answered with `didPing1`), and says `bye1` to a client whose tunnel is to end.
 *
 * Either side answers what it cannot do with `error`, whose `error` is a sentence for people and `code` is stable.
 *
 * How messages may change, so that clients and servers of different releases go on working together:
 *
 * - A field may be added, and be left out by whoever does not know it: it is optional, or has a default. Fields that are not known are
 *   ignored. What is said of itself (not asked for) never makes a whole message wrong: `.catch(undefined)`.
 * - A field never changes its meaning, and never goes: another one with another name comes beside it.
 * - A type of message may be added. A server that does not know it answers `error` with the code "message-unknown", and the client does
 *   without. A client drops one that it does not know where that says `"unasked": true`, as all that the server says unasked has to from now on.
 * - All else needs another {@link HANDSHAKE_VERSION}. Its field keeps its name for ever, beside `type` and `error` with its two fields, and is looked
 *   at before anything else of a message (message_version.ts): the side that is behind is named in a sentence.
 * - What the last release sent stays in the tests (tests/peers/versions.test.ts), which run it against this one.
 */

/** The version of these messages. Version 1 was the original's, over plain TCP with a challenge of its own. */
export const HANDSHAKE_VERSION = 2;

/** Where a client finds its backchannel, as seen from the server's end of the connection. */
export const BACKCHANNEL = { host: "localhost", port: 3014 } as const;

/** The user name under which a new client logs in with its key and its join code. */
export const JOIN_USER = "join";

const short = z.string().max(256);

export const clientVitae = z.object({
  brand: short,
  bundle: short.optional(),
  hostname: short.optional(),
  arch: short.optional(),
  platform: short.optional(),
  release: short.optional(),
  version: short,
});
/** What a client tells of itself. */
export type ClientVitae = z.output<typeof clientVitae>;

export const serverVitae = z.object({ environment: short, endpoint: short, version: short });
/** What a server tells of itself; `endpoint` with REGID for the id. */
export type ServerVitae = z.output<typeof serverVitae>;

const registered = z.object({ registeredId: short, registeredPort: z.int().min(1).max(65535), endpoint: short });
/** A registration as its client sees it. */
export type Registered = z.output<typeof registered> & {
  readonly notice?: string | undefined;
  readonly ssh?: SshTarget | undefined;
};

/** Most host keys that a client tells of. */
export const HOST_KEYS_TOLD = 64;

/** How many disconnects a client remembers, and tells of at a time. */
export const DISCONNECTS_KEPT = 50;

/** The end of a tunnel, as its client saw it. */
export const toldDisconnect = z.object({
  /** The name that both ends have for the tunnel (link.ts). */
  tunnel: z.string().regex(/^[0-9a-f]{16}$/),
  /** In milliseconds since 1970, by the client's clock. */
  at: z.int().min(0),
  /** How long the tunnel stood, in milliseconds; null where the client was killed with it. */
  lasted: z.number().min(0).max(Number.MAX_SAFE_INTEGER).nullable(),
  ids: z.array(short).max(64),
  cause: z.string().max(MAX_CAUSE),
});
export type ToldDisconnect = z.output<typeof toldDisconnect>;

const probeWish = z.object({
  /** As [client.local] probe. */
  probe: short,
  /** What an HTTP service is called, for the Host field. */
  host: short,
});
/** How a client wants one of its services to be probed. */
export type ProbeWish = z.output<typeof probeWish>;

/** Why a client lets nobody in to one of its services. */
export const CLOSED_CODES = ["paused", "service-not-allowed"] as const;
export type ClosedCode = typeof CLOSED_CODES[number];

/** What a server tells of its version where a client would otherwise take its answer for one of its own version. Servers of before do not. */
const told = { handshakeVersion: z.int().optional() };
/** For what a key signs where it is proven on the backchannel (sshsig.ts). */
export const PROOF_NAMESPACE = "petit-backchannel";

/** Before anything else is said, where the login is not known. */
export const proofMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("prove1"),
    handshakeVersion: z.int(),
    /** "ssh-ed25519 AAAA…" */
    publicKey: z.string().max(8 * 1024),
  }),
  z.object({ type: z.literal("prove2"), signature: z.string().max(16 * 1024) }),
]);
export type ProofMessage = z.output<typeof proofMessage>;

/** Where a client connects from its registration on, at the same host, if that is not where it has registered. */
export const sshTarget = z.object({
  port: z.int().min(1).max(65535),
  username: short,
  /** Port of the backchannel there. */
  backPort: z.int().min(1).max(65535).optional(),
  /** "ssh-ed25519 AAAA…": one of them has to be shown. */
  hostKeys: z.array(z.string().max(8 * 1024)).min(1).max(16),
});
export type SshTarget = z.output<typeof sshTarget>;

export const clientMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("register1"),
    handshakeVersion: z.int(),
    preferred: z.object({ id: short, port: z.int() }).nullable(),
    tenant: short.min(1).default("default"),
    vitae: clientVitae,
  }),
  z.object({
    type: z.literal("handshake1"),
    handshakeVersion: z.int(),
    vitae: clientVitae,
    /** Those that the server has not been told of. A client that makes a mistake here is served all the same. */
    disconnects: z.array(toldDisconnect).max(DISCONNECTS_KEPT).optional().catch(undefined),
    /** By id of the registration. Servers that know nothing of it leave it out. */
    services: z.record(short, probeWish).optional().catch(undefined),
    /** Fingerprints of the server's host keys that this client has pinned. Clients of before say nothing of them. */
    hostKeys: z.array(short).max(HOST_KEYS_TOLD).optional().catch(undefined),
    /** By id of the registration: why the client lets nobody in there, so that callers can be told. It is the client that refuses them. */
    closed: z.record(short, z.enum(CLOSED_CODES)).optional().catch(undefined),
    /** The name that the client has for its tunnel, for servers that have none themselves. */
    tunnel: z.string().regex(/^[0-9a-f]{16}$/).optional().catch(undefined),
  }),
  z.object({ type: z.literal("unregister1"), handshakeVersion: z.int(), registeredId: short }),
  z.object({ type: z.literal("ping1") }),
  z.object({ type: z.literal("probe1"), registeredId: short }),
  z.object({ type: z.literal("release1"), registeredId: short }),
  z.object({ type: z.literal("didPing1") }),
]);
export type ClientMessage = z.output<typeof clientMessage>;

/** The types of what clients say. */
export const MESSAGE_TYPES: ReadonlySet<unknown> = new Set(clientMessage.options.map(({ shape }) => shape.type.value));

/** By id of the registration: what the server's last probe found wrong with the answer of a service, `ago` milliseconds before. */
const unwell = z.record(short, z.object({ code: short, error: z.string().max(1024), ago: z.number().min(0).max(1e12) }))
  .optional()
  .catch(undefined);

export const serverMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("didRegister1"),
    ...told,
    ...registered.shape,
    /** Why it is not what the client asked for. */
    notice: z.string().max(1024).optional(),
    ssh: sshTarget.optional(),
  }),
  z.object({ type: z.literal("shakehand1"), ...told, registrations: z.array(registered), vitae: serverVitae, unwell }),
  z.object({ type: z.literal("didUnregister1") }),
  z.object({ type: z.literal("didPing1") }),
  z.object({
    type: z.literal("didProbe1"),
    /** Whether the client reached its service. */
    reached: z.boolean(),
    /** How long that took, in milliseconds, as the server saw it. */
    milliseconds: z.number(),
    /** Why not: a stable code and a sentence. */
    code: short.optional(),
    error: z.string().max(1024).optional(),
  }),
  z.object({
    type: z.literal("reconnect1"),
    /** Milliseconds after which this client is to connect again, so that not all come at the same moment. */
    after: z.int().min(0).max(3_600_000),
    /** True: the next process takes connections already, and this one goes on with what it has. False: after this tunnel's end. */
    successor: z.boolean(),
  }),
  z.object({ type: z.literal("didProve1"), prompt: short }),
  z.object({ type: z.literal("didProve2") }),
  z.object({ type: z.literal("didRelease1") }),
  z.object({ type: z.literal("ping1") }),
  z.object({ type: z.literal("bye1"), cause: z.string().max(MAX_CAUSE) }),
  z.object({ type: z.literal("error"), error: z.string().max(1024), code: short.optional() }),
]);
export type ServerMessage = z.output<typeof serverMessage>;
