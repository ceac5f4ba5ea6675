import type { ServiceDefinition } from "./service_manager.ts";
import { xmlText } from "./xml.ts";

/** The text of a job of launchd. env(1) takes away what would turn the executable into something else. */
export function launchdPlist(definition: ServiceDefinition, label: string, log: string): string {
  const { role, executable, config, stopTimeout } = definition;
  const command = ["/usr/bin/env", "-u", "BUN_OPTIONS", "-u", "BUN_BE_BUN", executable, role, "run", "-c", config];
  const text = (value: string) => `<string>${xmlText(value)}</string>`;
  const openFiles = role === "server" ? 65_536 : 16_384;
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  ${text(label)}
  <key>ProgramArguments</key>
  <array>
${command.map((word) => `    ${text(word)}`).join("\n")}
  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <true/>
  <key>ThrottleInterval</key>
  <integer>3</integer>
  <key>ExitTimeOut</key>
  <integer>${stopTimeout}</integer>
  <key>Umask</key>
  <integer>${0o077}</integer>
  <key>SoftResourceLimits</key>
  <dict>
    <key>NumberOfFiles</key>
    <integer>${openFiles}</integer>
  </dict>
  <key>StandardErrorPath</key>
  ${text(log)}
</dict>
</plist>
`;
}
