import { FormerClient, type FormerTarget } from "../../tests/peers/former_client.ts";
import type { FormerServer } from "../../tests/peers/former_server.ts";
import type { Scope } from "../../tests/world/temporary_folder.ts";
import { answers } from "./free_ports.ts";
import { type ClientSide, type ServerSide, type Services, until } from "./pair.ts";
import { withDescendants } from "./proc.ts";

// The daemons run as their own "start" commands run them: the log goes to its file, and nobody reads standard output.

/** The server of 0.6.34 as one side of a pair. */
export function formerServerSide(server: FormerServer): ServerSide {
  return {
    proxyPort: server.proxyPort,
    start: async () => {
      server.launch("none");
      await until("the server of 0.6.34 listens", () => answers(server.proxyPort));
    },
    stop: () => server.stop(),
    pids: () => pidsOf(server.process),
    besidePids: () => [...pidsOf(server.redis.process), ...pidsOf(server.sshd.process)],
  };
}

/** One client of 0.6.34, with a tenant for each of the services. */
export async function registerFormer(scope: Scope, target: FormerTarget, services: Services): Promise<ClientSide> {
  const client = await FormerClient.init(scope, target);
  const measured = await client.register(services.measured, "measured");
  const abused = await client.register(services.abused, "abused");
  return {
    hosts: { measured: `${measured.id}.example.com`, abused: `${abused.id}.example.com` },
    rawPort: measured.port,
    start: () => void client.launch("none"),
    stop: () => client.stop(),
    pids: () => pidsOf(client.process),
  };
}

function pidsOf({ child: { pid } }: { child: { pid?: number | undefined } }): number[] {
  return pid === undefined ? [] : withDescendants(pid);
}
