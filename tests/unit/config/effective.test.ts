import assert from "node:assert/strict";
import test from "node:test";
import { effectiveSettings } from "../../../src/config/effective.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { durationSetting, parseDuration, parseSize, sizeSetting } from "../../../src/config/units.ts";

test("effective settings written into a file give the same config again", () => {
  const text =
    `[server]\nidleTimeout = "90s"\nmaxHeadSize = "1000B"\ntrustedProxies = ["10.0.0.0/8"]\n[server.ssh]\nclientAliveInterval = "0s"\n` +
    `[client]\nreconnectDelayMax = "1500ms"\n[client.local]\ntls = true\n`;
  const config = parseConfig(text, "/etc/petit/config.toml");
  const written = (["server", "client"] as const).flatMap((role) =>
    Object.entries(effectiveSettings(config, role)).map(([section, values]) =>
      `[${section}]\n${Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`).join("")}`
    )
  );
  assert.deepEqual(parseConfig(written.join("\n"), "/etc/petit/config.toml"), config);
  const { server } = effectiveSettings(config, "server") as { server: Record<string, unknown> };
  assert.deepEqual([server["idleTimeout"], server["maxHeadSize"], server["drainFor"]], ["90s", "1000B", "30s"]);
});

test("durations and sizes are written in the largest unit that fits, and read as the same", () => {
  const durations = {
    0: "0s",
    1: "1ms",
    1500: "1500ms",
    90_000: "90s",
    120_000: "2m",
    86_400_000: "1d",
    7_200_000: "2h",
  };
  for (const [milliseconds, text] of Object.entries(durations)) {
    assert.equal(durationSetting(Number(milliseconds)), text);
    assert.equal(parseDuration(text), Number(milliseconds));
  }
  for (const [bytes, text] of Object.entries({ 0: "0B", 1000: "1000B", 65_536: "64KiB", 10_485_760: "10MiB" })) {
    assert.equal(sizeSetting(Number(bytes)), text);
    assert.equal(parseSize(text), Number(bytes));
  }
});
