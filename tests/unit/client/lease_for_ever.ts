// Makes a tenant, keeps and forgets its registration, changes and removes it, again and again until it is killed; prints each step once it is done.
import { writeSync } from "node:fs";
import process from "node:process";
import { changeTenant } from "../../../src/client/change_tenant.ts";
import { lease } from "../../../src/client/lease.ts";
import { forgetRegistration, writeRegistration } from "../../../src/client/state.ts";
import { removeTenantFolder } from "../../../src/client/tenant_folder.ts";
import { localSchema } from "../../../src/config/client_settings.ts";

const [, , folder = ""] = process.argv;
const LOCAL = localSchema.parse({});
const GIVEN = { registeredId: "1001", registeredPort: 11081, endpoint: "http://1001.example.com" };
const done = (step: string) => writeSync(1, `${step}\n`);

removeTenantFolder(folder, "shop");
for (;;) {
  lease(folder, LOCAL, { tenant: "shop", port: 9000 });
  done("leased");
  writeRegistration(folder, "shop", GIVEN);
  done("registered");
  changeTenant(folder, "shop", "port", 9001, LOCAL);
  done("changed");
  forgetRegistration(folder, "shop", { id: "1001", port: 11081 });
  done("unregistered");
  removeTenantFolder(folder, "shop");
  done("evicted");
}
