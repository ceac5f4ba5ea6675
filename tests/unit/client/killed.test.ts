import assert from "node:assert/strict";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { lease } from "../../../src/client/lease.ts";
import { removeTenantFolder } from "../../../src/client/tenant_folder.ts";
import { readTenants } from "../../../src/client/tenants.ts";
import { localSchema } from "../../../src/config/client_settings.ts";
import { temporaryFolder } from "../../world/world.ts";
import { writeAndKill } from "../registry/write_and_kill.ts";

const LOCAL = localSchema.parse({});
const KILLS = 10;

/** What may be there after each step, and in the middle of the next one: tenant, port of the service, id. */
const AFTER: Record<string, readonly string[]> = {
  leased: ["shop 9000 -", "shop 9000 1001"],
  registered: ["shop 9000 1001", "shop 9001 1001"],
  changed: ["shop 9001 1001", "shop 9001 -"],
  unregistered: ["shop 9001 -", "none"],
  evicted: ["none", "shop 9000 -"],
};

test(
  "tenants: whatever a process was doing when it was killed, what it leaves is whole",
  { timeout: 60_000 },
  async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, "tenants"));
    for (let kill = 0; kill < KILLS; kill++) {
      const last = (await writeAndKill(t, "../client/lease_for_ever.ts", folder)).at(-1) as string;
      const tenants = readTenants(folder, LOCAL);
      assert.ok(tenants.length <= 1);
      const [found] = tenants.map(({ name, local, registration }) =>
        `${name} ${local.port} ${registration?.id ?? "-"}`
      );
      assert.ok(AFTER[last]?.includes(found ?? "none"), `after "${last}": ${found}`);
      removeTenantFolder(folder, "shop");
      lease(folder, LOCAL, { tenant: "shop" });
      assert.deepEqual(readdirSync(join(folder, "tenants")), ["shop"], "nothing is left behind");
    }
  },
);
