import type { Registration } from "../../registry/registry.ts";
import type { PublicKey } from "../../tunnel/keys.ts";

/** The logged-in client whose commands these are, as far as they need to know it. Each member tells what is so now. */
export interface SshClient {
  /** The name that it logged in with. */
  readonly user: string;
  /** Undefined where it has proven none: then all it may do is register. */
  readonly key: PublicKey | undefined;
  readonly address: string;
  /** What its program calls itself (RFC 4253, section 4.2), without "SSH-2.0-". */
  readonly software: string;
  /** Set for whoever may make registrations, and nothing else; the hash is that of its join code, null where none is needed. */
  readonly join: { readonly hash: string | null } | undefined;
  /** The registrations of its key. */
  readonly own: readonly Registration[];
  /** Whether it has asked for a forward. */
  readonly hasForwards: boolean;
  /** Settles when all forwards that it has asked for are granted or refused. */
  forwardsDecided(): Promise<unknown>;
  /** What it was refused on this connection, in sentences. */
  readonly refusals: readonly string[];
  /** It has made a registration. */
  registered(): void;
  /** It asked for what is not to be had. */
  forbidden(code: string, sentence: string): void;
}
