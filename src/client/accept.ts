import { messageOf } from "../error.ts";
import type { Log } from "../observe/log.ts";
import type { OnceAMinute } from "../observe/once_a_minute.ts";
import type { OpenSet } from "../platform/open_set.ts";
import type { IncomingOpen } from "../tunnel/link.ts";
import { splice } from "../tunnel/splice.ts";
import type { ServiceEvidence } from "../tunnel/service_evidence.ts";
import type { ClientFigures } from "./client_figures.ts";
import { dial, type Service } from "./dial.ts";

/** What is needed to serve the callers of a tunnel. */
export interface AcceptParts {
  /** Milliseconds to reach a service. */
  readonly timeout: number;
  /** Every caller, from the request for a channel to the end of it. */
  readonly callers: OpenSet<IncomingOpen>;
  /** Of the tenant. */
  readonly log: Log;
  readonly noise: OnceAMinute;
  readonly figures: ClientFigures;
  /** Of the service. */
  readonly evidence: ServiceEvidence;
}

/**
 * Joins a connection that came through the tunnel to the service of a tenant. The channel is accepted once the service is reached, so
 * that the server knows of a service that refuses.
 */
export function acceptForwarded(forwarded: IncomingOpen, service: Service, parts: AcceptParts): void {
  const { timeout, callers, log, noise, figures, evidence } = parts;
  callers.add(forwarded);
  const begun = performance.now();
  // No caller's connection comes from port 0.
  const by = forwarded.originPort === 0 ? "probe" : "caller";
  const gone = () => callers.delete(forwarded);
  const where = `${service.host}:${service.port}`;
  const fields = { channel: forwarded.number, address: forwarded.originAddress };
  dial(service, timeout).then(
    (socket) => {
      const now = performance.now();
      evidence.reached(now, now - begun, by, false);
      log.debug(fields, `A channel was connected to the service ${where}`);
      splice(forwarded.accept(), socket, undefined, gone);
    },
    (error) => {
      figures.dialFailures++;
      evidence.failed(performance.now(), "service-refused", messageOf(error), by);
      noise.tell(`service ${where}`, (repeated) => {
        const hint = certificateHint(service, messageOf(error));
        const code = hint === undefined ? "service-refused" : "service-certificate";
        log.warn(
          { ...fields, code, repeated, hint },
          `Cannot reach the service ${where}: ${messageOf(error)}`,
        );
      });
      forwarded.refuse(messageOf(error));
      gone();
    },
  );
}

/** What OpenSSL and Node call a certificate that does not verify. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|ALTNAME|ISSUER/;

/** What to do about a certificate that does not verify; undefined where that is not what is wrong. */
export function certificateHint({ tls, tlsVerify, host }: Service, reason: string): string | undefined {
  if (!tls || !tlsVerify || !CERTIFICATE.test(reason)) return undefined;
  return `Its certificate is not one for "${host}" that this machine trusts: set tlsCa to the file of its authority, or tlsVerify to false where the way to it is safe`;
}
