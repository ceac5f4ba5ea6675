import { readFileSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { messageOf, PetitError } from "../../error.ts";

/** Who signs client certificates, as long as that is so. */
export interface ClientCa {
  readonly pem: string;
  /** False once others are trusted: what was verified against these says nothing any more. */
  current: boolean;
}

/** Reads the certificates that client certificates may be signed by. @throws PetitError `client-ca-invalid` */
export function readClientCa(file: string): ClientCa {
  try {
    const pem = readFileSync(file, "utf8");
    const found = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
    if (found.length === 0) throw new Error("it holds no certificate");
    for (const one of found) new X509Certificate(one);
    return { pem, current: true };
  } catch (error) {
    throw new PetitError("client-ca-invalid", `Cannot use [server.access] clientCa "${file}": ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** The certificate that a caller has shown in its handshake, with the proof that it holds the key. */
export class ClientCertificate {
  readonly #ca: ClientCa;
  readonly #verified: boolean;
  readonly #certificate: X509Certificate;
  readonly #from: number;
  readonly #until: number;

  private constructor(ca: ClientCa, verified: boolean, certificate: X509Certificate) {
    this.#ca = ca;
    this.#verified = verified;
    this.#certificate = certificate;
    this.#from = Date.parse(certificate.validFrom);
    this.#until = Date.parse(certificate.validTo);
  }

  /** Undefined where the caller has shown none. */
  static of(socket: TLSSocket, ca: ClientCa): ClientCertificate | undefined {
    const certificate = socket.getPeerX509Certificate();
    return certificate && new ClientCertificate(ca, socket.authorized, certificate);
  }

  /** Whether it was signed by whom it must be, and is in force. @param now in milliseconds since 1970 */
  isGood(now: number): boolean {
    return this.#verified && this.#ca.current && this.#from <= now && now <= this.#until;
  }

  /** Whether those who verified it are not trusted any more. */
  get outdated(): boolean {
    return !this.#ca.current;
  }

  /** Whether it is one of these: fingerprints, common names, DNS names or e-mail addresses. None is any certificate. */
  isOneOf(names: readonly string[]): boolean {
    return names.length === 0 || names.some((name) => this.#is(name));
  }

  #is(name: string): boolean {
    const certificate = this.#certificate;
    if (/^sha256:/i.test(name)) {
      return certificate.fingerprint256.replaceAll(":", "").toLowerCase() ===
        name.slice("sha256:".length).toLowerCase();
    }
    if (certificate.toLegacyObject().subject?.CN === name) return true;
    // Asked of the certificate itself: its names in one text can be made to look like others.
    if (name.includes("@")) return certificate.checkEmail(name, { subject: "never" }) !== undefined;
    return certificate.checkHost(name, { subject: "never", wildcards: false }) !== undefined;
  }
}
