import type { Audit } from "../audit/audit_event.ts";
import type { ServerConfig } from "../config/schema.ts";
import type { Log } from "../observe/log.ts";
import type { OnceAMinute } from "../observe/once_a_minute.ts";
import type { OpenFiles } from "../platform/open_files.ts";
import type { Registry } from "../registry/registry.ts";
import type { LoginGuard } from "./login/login_guard.ts";
import type { LoginReports } from "./login/login_reports.ts";
import type { ReversePorts } from "./ports.ts";
import type { Disconnects } from "./disconnects.ts";
import type { HostKeys } from "./host_key/host_keys.ts";
import type { Hold } from "./hold.ts";
import type { Registrar } from "./registrar.ts";
import type { FullStatus } from "./server_status.ts";
import type { Routes } from "./routes.ts";
import type { Tunnels } from "./tunnels.ts";

/** What the gateway and its rules for each connection need. */
export interface GatewayParts {
  readonly config: ServerConfig;
  readonly registry: Registry;
  readonly routes: Routes;
  readonly tunnels: Tunnels;
  readonly ports: ReversePorts;
  readonly registrar: Registrar;
  readonly disconnects: Disconnects;
  readonly guard: LoginGuard;
  readonly files: OpenFiles;
  readonly logins: LoginReports;
  readonly hostKeys: HostKeys;
  readonly hold: Hold;
  readonly audit: Audit;
  readonly log: Log;
  readonly noise: OnceAMinute;
  /** What is known of a registration. @param look whether its service is probed first @throws PetitError `registration-unknown` */
  status(id: string, look: boolean): Promise<FullStatus>;
}
