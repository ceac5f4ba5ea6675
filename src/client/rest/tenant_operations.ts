import { z } from "zod";
import { type AnyOperation, operation, successful } from "../../control/operation.ts";
import type { ClientControl } from "../client_control.ts";
import type { TenantStatus } from "../client_status.ts";
import { newTenantSchema, textSchema } from "./new_tenant.ts";
import { tenantNameInput, tenantNameSchema, tenantSchema, tenantStatusSchema } from "./schemas.ts";
import { knownByEither, tenantNamed } from "./tenant_named.ts";

const ofTenant = z.object({ id: tenantNameInput });

const forced = z.object({
  force: z.enum(["true", "false"]).default("false").meta({
    description: "Forget it here also where the server cannot be told",
  }),
});

const path = z.string().meta({ description: "The tenant's folder" });

const server = z.enum(["unregistered", "unknown", "not told"]).meta({
  description: '"unknown" where the server did not know it any more, "not told" where it was forgotten here only',
});

const unregistered = successful.extend({ path, tenant: tenantNameSchema, id: z.string(), port: z.int(), server });

const joinCode = z.object({
  code: textSchema.max(2000).optional().meta({ description: "Join code; not needed where the server takes anyone" }),
}).prefault({}).meta({ id: "RegisterRequest" });

/** Tenants: made, registered, unregistered, taken away. Paths and first fields are those of 0.6.x. */
export function tenantOperations(control: ClientControl): AnyOperation[] {
  const tag = "tenants";
  const register = async (tenant: string, code: string | undefined) => {
    const { registeredId, registeredPort, endpoint } = await control.register(tenant, code);
    const { dir } = tenantNamed(control, tenant);
    return { success: true as const, path: dir, tenant, registeredId, registeredPort, endpoint };
  };
  const registered = successful.extend({
    path,
    tenant: tenantNameSchema,
    registeredId: z.string(),
    registeredPort: z.int(),
    endpoint: z.string(),
  });
  return [
    operation({
      method: "get",
      path: "/tenants",
      id: "listTenants",
      tag,
      summary: "All tenants, those that are not registered too",
      answered: "The default one first",
      answer: successful.extend({ tenants: z.array(tenantSchema) }).meta({ id: "Tenants" }),
      handle: async () => {
        await control.look();
        return { success: true as const, tenants: control.tenants().map(withFormerNames) };
      },
    }),
    operation({
      method: "post",
      path: "/tenants",
      id: "lease",
      tag,
      summary: "Make a tenant; it is not registered yet",
      body: newTenantSchema,
      answered: "The tenant",
      answer: successful.extend({ path, tenant: tenantStatusSchema }).meta({ id: "Leased" }),
      handle: async ({ body }) => {
        const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
        const tenant = await control.lease(given);
        return { success: true as const, path: tenant.dir, tenant };
      },
    }),
    operation({
      method: "delete",
      path: "/tenants/{id}",
      id: "evict",
      tag,
      summary: "Unregister a tenant, if it is registered, and remove it",
      params: ofTenant,
      query: forced,
      answered: "It is gone",
      answer: successful.extend({
        path,
        tenant: tenantNameSchema,
        server: server.nullable().meta({ description: "Null where it was not registered" }),
      }).meta({ id: "Evicted" }),
      handle: async ({ params: { id }, query }) => {
        const { dir } = tenantNamed(control, id);
        const gone = await control.evict(id, { force: query.force === "true" });
        return { success: true as const, path: dir, tenant: id, server: gone?.server ?? null };
      },
    }),
    operation({
      method: "post",
      path: "/register",
      id: "register",
      tag,
      summary: "Register the default tenant",
      body: joinCode,
      answered: "It is registered",
      answer: registered.meta({ id: "RegisteredDefault" }),
      handle: ({ body }) => register("default", body.code),
    }),
    operation({
      method: "post",
      path: "/register/{id}",
      id: "registerTenant",
      tag,
      summary: "Register a tenant",
      params: ofTenant,
      body: joinCode,
      answered: "It is registered",
      answer: registered.meta({ id: "Registered" }),
      handle: ({ params, body }) => register(params.id, body.code),
    }),
    operation({
      method: "post",
      path: "/unregister/{id}",
      id: "unregister",
      tag,
      summary: "Take the registration of a tenant away, at the server and here; the tenant stays",
      params: z.object({ id: tenantNameInput.meta({ description: "Name of a tenant, or id of its registration" }) }),
      query: forced,
      answered: "It is unregistered",
      answer: unregistered.meta({ id: "Unregistered" }),
      handle: async ({ params, query }) => {
        const { dir, id } = knownByEither(control, params.id);
        const gone = await control.unregister(id, { force: query.force === "true" });
        return { success: true as const, path: dir, ...gone };
      },
    }),
  ];
}

function withFormerNames(tenant: TenantStatus) {
  const { id, port, local } = tenant;
  return {
    ...tenant,
    name: tenant.tenant,
    registered: id !== null,
    ...(id === null ? {} : { registeredId: id }),
    ...(port === null ? {} : { registeredPort: port }),
    config: { local },
  };
}
