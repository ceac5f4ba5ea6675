import type { Socket } from "node:net";
import { createServer, type Server } from "node:tls";
import { messageOf } from "../error.ts";
import type { Log } from "../observe/log.ts";
import type { OnceAMinute } from "../observe/once_a_minute.ts";
import { plainAddress } from "../platform/address.ts";
import { listen, stopListening } from "../platform/listen.ts";
import { type ClientCa, ClientCertificate, readClientCa } from "./access/client_certificate.ts";
import { readCertificates, watchCertificates } from "./certificates.ts";
import type { Callers, Entered } from "./http_proxy.ts";

export interface HttpsProxyOptions {
  readonly host: string;
  readonly port: number;
  /** The folder with the certificates. */
  readonly folder: string;
  /** The file of those who sign client certificates; empty where nobody is asked for one. */
  readonly clientCa: string;
  readonly callers: Callers;
  readonly log: Log;
  readonly noise: OnceAMinute;
}

/** Milliseconds for a TLS handshake. */
const HANDSHAKE_TIMEOUT = 15_000;

/**
 * What TLS 1.2 may use: RFC 9325, section 4.2, recommends these (forward secret, AEAD); the ChaCha20 ones are for callers without
 * AES in hardware. The suites of TLS 1.3 are such anyway. Compression and renegotiation are not in BoringSSL's servers.
 */
const CIPHERS = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/** The HTTPS proxy: open once the certificates are there, and always with the newest that are sound. */
export class HttpsProxy {
  /** The port it listens on, or undefined while there are no certificates. */
  port: number | undefined;
  readonly #options: HttpsProxyOptions;
  #server: Server | undefined;
  #clientCa: ClientCa | undefined;
  /** Connections whose handshake is not over, by the address and port of the peer: the socket inside TLS is another object than that around it. */
  readonly #handshaking = new Map<string, { socket: Socket; timer: NodeJS.Timeout; entered: Entered }>();
  #stopWatching: () => void = () => {};

  constructor(options: HttpsProxyOptions) {
    this.#options = options;
  }

  /** @throws PetitError `certificates-invalid`, `client-ca-invalid` or why it cannot listen */
  async start(): Promise<void> {
    const { folder, clientCa, log } = this.#options;
    await this.#useCertificates();
    const changed = () => {
      this.#useCertificates().catch((error) =>
        log.error({ code: error.code }, `${messageOf(error)}; the HTTPS proxy goes on as before`)
      );
    };
    this.#stopWatching = watchCertificates(folder, changed, clientCa === "" ? [] : [clientCa]);
  }

  /** Undefined where nobody is asked for a certificate. What is the same as before stays the same object. */
  #readClientCa(): ClientCa | undefined {
    if (this.#options.clientCa === "") return undefined;
    const read = readClientCa(this.#options.clientCa);
    return read.pem === this.#clientCa?.pem ? this.#clientCa : read;
  }

  /** Whatever was verified against others counts no more. */
  #trust(clientCa: ClientCa | undefined): void {
    const former = this.#clientCa;
    this.#clientCa = clientCa;
    if (former === undefined || former === clientCa) return;
    former.current = false;
    this.#options.callers.recheck();
  }

  async #useCertificates(): Promise<void> {
    const { folder, host, port, log } = this.#options;
    const clientCa = this.#readClientCa();
    const certificates = readCertificates(folder);
    if (certificates === undefined) return;
    // TLS 1.2 is the oldest that RFC 9325 lets a server speak.
    const context = {
      ...certificates,
      minVersion: "TLSv1.2" as const,
      ciphers: CIPHERS,
      honorCipherOrder: true,
      // Which registration is meant is known later: everybody is asked for a certificate, and nobody refused for want of one.
      ...(clientCa === undefined ? {} : { ca: clientCa.pem, requestCert: true, rejectUnauthorized: false }),
    };
    if (this.#server !== undefined) {
      this.#server.setSecureContext(context);
      this.#trust(clientCa);
      log.info({ folder }, "The HTTPS proxy uses the new certificates");
      return;
    }
    const options = {
      ...context,
      ALPNProtocols: ["http/1.1"],
      allowHalfOpen: true,
      noDelay: true,
    };
    const server = createServer(options, (socket) => {
      const entered = this.#handshakeOver(socket);
      const ca = this.#clientCa;
      if (entered === undefined) socket.destroy();
      else this.#options.callers.serve(socket, true, entered, ca && ClientCertificate.of(socket, ca));
    });
    this.#trust(clientCa);
    server.on("connection", (socket: Socket) => this.#awaitHandshake(socket));
    server.on(
      "tlsClientError",
      (error, socket) =>
        this.#options.noise.tell("tls", (repeated) =>
          log.warn(
            { code: "tls-handshake", address: plainAddress(socket.remoteAddress), repeated },
            `A TLS handshake on the HTTPS proxy failed: ${messageOf(error)}`,
          )),
    );
    this.port = await listen(server, host, port, "[server] secureProxyPort", true);
    this.#server = server;
    log.info({ port: this.port }, `HTTPS proxy listens on port ${this.port}`);
  }

  /** Not left to `handshakeTimeout`: Bun tells of it and leaves the connection open. */
  #awaitHandshake(socket: Socket): void {
    const name = nameOf(socket);
    const entered = this.#options.callers.enter(socket);
    // Before the handshake, which costs more than an answer would.
    if (entered === undefined) return void socket.destroy();
    const timer = setTimeout(() => socket.destroy(), HANDSHAKE_TIMEOUT);
    this.#handshaking.set(name, { socket, timer, entered });
    socket.on("close", () => this.#handshakeOver(socket, name)?.leave());
  }

  /** @returns the place that it has had; undefined where it has been ended meanwhile */
  #handshakeOver(socket: Socket, name = nameOf(socket)): Entered | undefined {
    const found = this.#handshaking.get(name);
    clearTimeout(found?.timer);
    this.#handshaking.delete(name);
    return found?.entered;
  }

  /** Takes no new connections. */
  refuseNew(): void {
    this.#stopWatching();
    this.#server?.close();
  }

  async stop(): Promise<void> {
    this.#stopWatching();
    for (const { socket } of this.#handshaking.values()) socket.destroy();
    if (this.#server) await stopListening(this.#server);
  }
}

function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
