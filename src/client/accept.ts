import { messageOf } from "../error.ts";
import type { Log } from "../observe/log.ts";
import type { OnceAMinute } from "../observe/once_a_minute.ts";
import type { IncomingOpen } from "../tunnel/link.ts";
import { splice } from "../tunnel/splice.ts";
import { dial, type Service } from "./dial.ts";

/**
 * Joins a connection that came through the tunnel to the service. The channel is accepted once the service is reached, so that the
 * server knows of a service that refuses.
 *
 * @param timeout milliseconds to reach the service
 */
export function acceptForwarded(
  forwarded: IncomingOpen,
  service: Service,
  timeout: number,
  log: Log,
  noise: OnceAMinute,
): void {
  dial(service, timeout).then(
    (socket) => splice(forwarded.accept(), socket),
    (error) => {
      const where = `${service.host}:${service.port}`;
      noise.tell(
        `service ${where}`,
        (repeated) =>
          log.warn({ code: "service-refused", repeated }, `Cannot reach the service ${where}: ${messageOf(error)}`),
      );
      forwarded.refuse(messageOf(error));
    },
  );
}
