import type { ServerConfig } from "../../config/schema.ts";
import type { Registry } from "../../registry/registry.ts";
import { decodeJoinCode, hashJoinSecret } from "../../tunnel/join_code.ts";
import type { PublicKey } from "../../tunnel/keys.ts";
import { JOIN_USER } from "../../tunnel/messages.ts";
import type { LoginAttempt, LoginVerdict } from "../../tunnel/ssh_server.ts";
import type { BackchannelPeer } from "../registrar.ts";
import type { Routes } from "../routes.ts";

export interface ClientLoginParts {
  readonly config: ServerConfig;
  readonly registry: Registry;
  readonly routes: Routes;
}

const REFUSE: LoginVerdict = { kind: "refuse" };
const ACCEPT: LoginVerdict = { kind: "accept" };

/** Who is at the other end of one connection, as far as that has been proven. */
export class ClientLogin {
  /** Set by a verified signature, and by nothing else. */
  key: PublicKey | undefined;
  /** What it has joined with; undefined for who has not. */
  join: BackchannelPeer["join"];
  /** The last attempt that was refused, in words. */
  refused: string | undefined;
  /** Wrong join codes that it tried. */
  wrongCodes = 0;
  #user: string | undefined;
  readonly #parts: ClientLoginParts;

  constructor(parts: ClientLoginParts) {
    this.#parts = parts;
  }

  /** The user that the last attempt named. */
  get user(): string {
    return this.#user ?? "";
  }

  /** Decides about one attempt, whose proof has been checked already. */
  attempt(attempt: LoginAttempt): LoginVerdict {
    // What was proven for one user proves nothing for another (RFC 4252, section 5).
    if (attempt.user !== this.#user) this.key = this.join = undefined;
    this.#user = attempt.user;
    if (attempt.user !== JOIN_USER && this.#parts.config.ssh.mode === "openssh") {
      this.refuse(attempt.user, attempt.method);
      this.refused += ': [server.ssh] mode is "openssh", and tunnels go through sshd';
      return REFUSE;
    }
    const verdict = attempt.user === JOIN_USER ? this.#loginToJoin(attempt) : this.#loginWithTunnel(attempt);
    if (verdict.kind === "refuse") this.refuse(attempt.user, attempt.method);
    return verdict;
  }

  /** An attempt was refused; also one that was no attempt at all. */
  refuse(user: string, method: string): void {
    this.refused = `a login of the user "${user.slice(0, 40)}" by ${method.slice(0, 40)} was refused`;
  }

  #loginToJoin(attempt: LoginAttempt): LoginVerdict {
    const { config, registry } = this.#parts;
    if (config.registration === "closed") return REFUSE;
    if (attempt.method === "publickey") {
      if (!attempt.proven) return ACCEPT;
      this.key = attempt.key;
      if (config.registration === "join") return { kind: "more", methods: ["password"] };
      this.join = { hash: null };
      return ACCEPT;
    }
    // Who sends nothing but the code has proven no key: it may only bring one, in a session (ssh_commands/).
    const hash = hashJoinSecret(secretOf(attempt.password));
    // A code that is used up or expired opens the door to the sentence that says so, and to nothing else.
    if (registry.joinCode(hash) === undefined) {
      if (config.registration === "open") {
        // A client without a key has to send something.
        this.join = { hash: null };
        return ACCEPT;
      }
      this.wrongCodes++;
      return REFUSE;
    }
    this.join = { hash };
    return ACCEPT;
  }

  #loginWithTunnel(attempt: LoginAttempt): LoginVerdict {
    if (attempt.method !== "publickey") return REFUSE;
    const own = this.#parts.routes.ofKey(attempt.key.fingerprint);
    if (own.length === 0) return REFUSE;
    if (/^\d+$/.test(attempt.user) && !own.some(({ id }) => id === attempt.user)) return REFUSE;
    if (attempt.proven) this.key = attempt.key;
    return ACCEPT;
  }
}

/** The secret in what was typed as a password: the whole join code, or its secret alone. */
function secretOf(typed: string): string {
  try {
    return decodeJoinCode(typed).secret;
  } catch {
    return typed;
  }
}
