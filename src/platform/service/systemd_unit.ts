import type { ServiceDefinition } from "./service_manager.ts";

/** Open files: one for each connection. What the kernel gives to systemd's services at most by default is 524,288. */
const OPEN_FILES = { server: 524_288, client: 65_536 };

/** The text of a unit. What only the system's own manager can do (folders, capabilities, devices) is left out of a user's. */
export function systemdUnit(definition: ServiceDefinition, scope: "system" | "user"): string {
  const { role, executable, config, stopTimeout } = definition;
  return `# Written by "petit service install ${role}"; doing that again overwrites it.
[Unit]
Description=petit ${role}
${
    scope === "system"
      ? "Wants=network-online.target\nAfter=network-online.target\n"
      : ""
  }# It is started again however often it ends.
StartLimitIntervalSec=0

[Service]
Type=exec
# "petit ${role} restart" has a new process take the place of this one, without a request refused in between.
NotifyAccess=all
ExecStart=${[executable, role, "run", "-c", config].map(argument).join(" ")}
ExecReload=/bin/kill -HUP $MAINPID
KillSignal=SIGTERM
KillMode=mixed
TimeoutStopSec=${stopTimeout}
Restart=always
RestartSec=3
# These would turn the executable into something else.
UnsetEnvironment=BUN_OPTIONS BUN_BE_BUN
LimitNOFILE=${OPEN_FILES[role]}
UMask=0077

NoNewPrivileges=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
${scope === "system" ? systemOnly(definition) : ""}
[Install]
WantedBy=${scope === "system" ? "multi-user.target" : "default.target"}
`;
}

/** MemoryDenyWriteExecute is not there: JavaScript is compiled as it runs. */
function systemOnly({ executable, config, writable, uid }: ServiceDefinition): string {
  const paths = [executable, config, ...writable];
  const below = (folders: readonly string[]) =>
    paths.some((path) => folders.some((folder) => path.startsWith(`${folder}/`)));
  // Without its capabilities root itself cannot read what is another user's only.
  return `${uid === 0 ? "" : `User=${uid}\n`}
ProtectSystem=strict
ReadWritePaths=${writable.map(path).join(" ")}
ProtectHome=${below(["/home", "/root", "/run/user"]) ? "read-only" : "yes"}
PrivateTmp=${below(["/tmp", "/var/tmp"]) ? "no" : "yes"}
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
KeyringMode=private
# For ports below 1024, and nothing else.
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
AmbientCapabilities=CAP_NET_BIND_SERVICE
`;
}

/** An argument of a command line: quoted, with what systemd would replace ("%", "$") doubled. */
function argument(text: string): string {
  return `"${escaped(text).replaceAll("$", "$$$$")}"`;
}

function path(text: string): string {
  return `"${escaped(text)}"`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%");
}
